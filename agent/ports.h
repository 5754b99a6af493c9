#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/units.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// The three parts of an agent that can be exchanged: who listens, who thinks, who speaks. All calls are blocking and made on
/// worker threads, never on a network thread; one object serves one caller at a time. [worker]
namespace vivavoce::agent {

/// What was understood of one utterance.
struct Recognition {
    std::string text;
    /// The text came from the command grammar and the free decoder agreed: it can be acted on.
    bool isCommand = false;
};

/// Speech to text, one utterance at a time.
class Recogniser {
public:
    virtual ~Recogniser() = default;
    /// Starts an utterance.
    virtual core::Expected<void, core::Error> begin() = 0;
    /// Takes PCM16 mono at core::kSpeechRate. Returns the whole partial text where it changed.
    virtual std::optional<std::string> accept(std::span<const std::int16_t> samples) = 0;
    /// Ends the utterance. Empty text means that nothing was understood.
    virtual Recognition finish() = 0;
    /// Drops the utterance.
    virtual void cancel() = 0;
};

/// Lends recognisers; a returned one goes back when destroyed. Waits for a free one until `stop` is requested.
class RecogniserPool {
public:
    virtual ~RecogniserPool() = default;
    virtual core::Expected<std::unique_ptr<Recogniser>, core::Error> borrow(std::stop_token stop) = 0;
};

/// How to speak. 1 is the voice's own rate and level.
struct SpeakingStyle {
    double rate = 1.0;
    double gain = 1.0;
};

/// Text to speech.
class Voice {
public:
    /// Gets PCM16 mono at rate() as it is made; answers whether to go on.
    using Sink = std::function<bool(std::span<const std::int16_t>)>;

    virtual ~Voice() = default;
    [[nodiscard]] virtual core::SampleRate rate() const = 0;
    /// Speaks one sentence. Returns once all of it went to the sink, or the sink said stop. [worker; any number at once]
    virtual core::Expected<void, core::Error> speak(
        std::string_view sentence, const SpeakingStyle& style, const Sink& sink) = 0;
};

/// A function that the other side declared for this conversation.
struct Tool {
    std::string name;
    std::string description;
    /// JSON Schema of the arguments, as text; checked to be a JSON object.
    std::string parameters;
};

enum class ToolChoice { Auto, None, Required };

/// One entry of the conversation so far, oldest first.
struct DialogueItem {
    enum class Kind { UserMessage, AssistantMessage, SystemMessage, FunctionCall, FunctionOutput };
    Kind kind = Kind::UserMessage;
    /// Message text; the arguments (JSON text) of a call; the output of a call.
    std::string text;
    /// For calls and outputs.
    std::string callId;
    std::string name;
    /// A user message that was spoken and that the recogniser vouches for (Recognition::isCommand), or that was typed.
    bool isCertain = true;
};

struct BrainRequest {
    std::string instructions;
    std::vector<DialogueItem> items;
    std::vector<Tool> tools;
    ToolChoice toolChoice = ToolChoice::Auto;
    /// With ToolChoice::Required: this one only; empty for any.
    std::string requiredTool;
};

/// Where a brain's reply goes as it thinks. Every call answers whether to go on (false: the reply was cancelled).
class BrainSink {
public:
    virtual ~BrainSink() = default;
    /// More text of the reply; pieces may split anywhere.
    virtual bool onText(std::string_view piece) = 0;
    /// A call of a declared function with arguments as JSON text.
    virtual bool onFunctionCall(std::string_view name, std::string_view argumentsJson) = 0;
    /// From here on, for the rest of the conversation.
    virtual bool onStyle(const SpeakingStyle& style) = 0;
};

/// What one reply cost, where the brain knows; otherwise the server counts words.
struct BrainUsage {
    std::int64_t inputTokens = 0;
    std::int64_t outputTokens = 0;
};

/// Something the brain wants to say later of its own accord (a timer that ran out).
struct Reminder {
    /// Unique in one brain.
    std::uint64_t id = 0;
    core::Milliseconds in{0};
    std::string text;
};

struct ReminderChanges {
    std::vector<Reminder> made;
    /// Ids of earlier ones that are not to be said any more, also where they are due already and wait for a quiet moment.
    std::vector<std::uint64_t> withdrawn;
};

/// Thinks for one conversation and remembers it.
class Brain {
public:
    virtual ~Brain() = default;
    /// Replies to the last item. Returns when the reply is complete or the sink said stop.
    virtual core::Expected<std::optional<BrainUsage>, core::Error> reply(
        const BrainRequest& request, BrainSink& sink, std::stop_token stop) = 0;
    /// What became of reminders since the last call.
    virtual ReminderChanges takeReminders() = 0;
};

class BrainFactory {
public:
    virtual ~BrainFactory() = default;
    /// A brain for one new conversation.
    [[nodiscard]] virtual std::unique_ptr<Brain> create() = 0;
};

} // namespace vivavoce::agent
