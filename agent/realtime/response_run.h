#pragma once

#include "agent/brain/sentence_splitter.h"
#include "agent/ports.h"
#include "agent/realtime/conversation.h"
#include "agent/realtime/event_writer.h"
#include "agent/realtime/session_settings.h"
#include "agent/realtime/speaking.h"
#include "agent/realtime/speech_workers.h"
#include "agent/realtime/thinking.h"
#include "agent/realtime/usage.h"
#include "core/base/executor.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

namespace vivavoce::agent::realtime {

/// What a response borrows from its session.
struct ResponseParts {
    std::shared_ptr<core::Executor> executor;
    SpeechWorkers& workers;
    Voice& voice;
    std::shared_ptr<BrainSeat> brain;
    EventWriter& events;
    /// None: out of band.
    Conversation* conversation = nullptr;
    std::string conversationId;
    /// The conversation's way of speaking; the brain may change it.
    std::shared_ptr<SpeakingStyle> style;
    std::function<void(ReminderChanges)> onDone;
};

/// One response from response.created to response.done, its events in OpenAI's order. The brain's text is cut into sentences;
/// each is spoken on a worker while the brain goes on, and only when the client has taken most of what came before.
/// Invariant: after response.done (in whatever way) no further event of this response leaves.
/// Threads: [net], the session's executor. Lifetime: the session owns it; work in flight only holds a weak reference.
class ResponseRun : public std::enable_shared_from_this<ResponseRun>, public ThoughtTaker {
public:
    enum class CancelReason { TurnDetected, ClientCancelled };

    ResponseRun(ResponseParts parts, ResponseSettings settings);
    ~ResponseRun() override;

    [[nodiscard]] const std::string& id() const { return m_id; }
    [[nodiscard]] bool isOver() const { return m_isOver; }
    [[nodiscard]] bool isThinking() const { return m_isBegun; }
    [[nodiscard]] bool hasSpoken() const { return m_hasSpoken; }
    [[nodiscard]] const ResponseSettings& settings() const { return m_settings; }
    /// How long the audio of this response plays.
    [[nodiscard]] core::Milliseconds audioLength() const { return m_audioLength; }

    /// Tells response.created.
    void announce();
    /// Asks the brain. `input` is what the request costs.
    void think(BrainRequest request, Usage input);
    /// Says `text` without asking the brain.
    void say(const std::string& text);
    void cancel(CancelReason reason);
    void fail(const EventFault& fault);
    /// The client truncated the item: what it forgot must not come back.
    void leaveItemAlone(const std::string& itemId);

    void takeText(std::string piece) override;
    void takeCall(std::string name, std::string arguments) override;
    void takeStyle(SpeakingStyle style) override;
    void takeEnd(core::Expected<std::optional<BrainUsage>, core::Error> result, ReminderChanges reminders) override;

private:
    struct Call {
        std::string name;
        std::string arguments;
    };
    using Step = std::variant<std::string, Call>;

    void pump();
    void speak(std::string sentence);
    void takeChunk(core::Bytes chunk);
    void sentenceSpoken(const core::Expected<void, core::Error>& result);
    void writeText(const std::string& piece);
    void emitCall(const Call& call);
    void openMessage();
    void closeMessage(ItemStatus status);
    void addItem(Item item);
    /// The last of the output.
    void itemDone(const Item& item);
    void syncMessage();
    bool isOverBudget();
    void finish(core::openai::ResponseStatus status, std::optional<core::openai::StatusDetails> details);
    [[nodiscard]] std::int64_t outputIndex() const { return static_cast<std::int64_t>(m_output.size()) - 1; }
    /// An event about the last item of the output, or about its one part.
    template <typename Event>
    [[nodiscard]] Event itemEvent() const
    {
        Event event;
        event.responseId = m_id;
        event.itemId = m_output.back().id;
        event.outputIndex = outputIndex();
        return event;
    }
    [[nodiscard]] core::openai::Response toWire(core::openai::ResponseStatus status) const;

    const ResponseParts m_parts;
    const ResponseSettings m_settings;
    const std::string m_id;
    std::stop_source m_stop;
    std::unique_ptr<core::Timer> m_retry;

    std::vector<Item> m_output;
    /// The message that is being written is the last of m_output.
    bool m_isMessageOpen = false;
    bool m_isLeftAlone = false;
    std::size_t m_messageBytes = 0;
    brain::SentenceSplitter m_splitter;
    std::deque<Step> m_steps;
    bool m_isBegun = false;
    bool m_isThought = false;
    bool m_isSpeaking = false;
    bool m_isOver = false;
    bool m_hasSpoken = false;
    core::Milliseconds m_audioLength{0};
    Usage m_usage;
    ReminderChanges m_reminders;
};

} // namespace vivavoce::agent::realtime
