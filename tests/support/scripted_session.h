#pragma once

#include "core/base/clock.h"
#include "core/base/executor.h"
#include "core/base/voice_rates.h"
#include "core/protocol/openai/client_events.h"
#include "core/protocol/openai/server_events.h"
#include "tests/support/numbered_turns.h"
#include "tests/support/server_quirks.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::tests {

/// What a scripted provider remembers of all its sessions. Bounded by what goes wrong.
struct ScriptedProviderLog {
    int sessions = 0;
    /// Items that the latest session was given by its client.
    int told = 0;
    /// Answers that were sent to their end.
    int answers = 0;
    /// A question that one session got more than once, as words or as speech.
    std::vector<int> doubled;
    /// Codes of what it refused.
    std::vector<std::string> refused;
    /// How much of an answer was heard, as the client tells it, in milliseconds.
    std::map<int, std::int64_t> truncated;
};

struct ScriptedProviderOptions {
    /// Until the provider ends the session, by that clock; 0: it does not say.
    core::Milliseconds sessionLength{0};
    const core::Clock* clock = nullptr;
    /// Of an answer's sound: as many pieces of so much.
    int pieces = 2;
    core::Milliseconds piece{40};
    /// Whose ways it has; nothing: see quirksOf.
    std::optional<ServerKind> kind{};
    /// What it hears and speaks at. Others it refuses, ...
    core::VoiceRates rates{};
    /// ... or goes on with its own and says so.
    bool hasOwnWay = false;
    /// Its greeting names them.
    bool greetsWithRates = false;
};

/// One session of a provider that speaks OpenAI Realtime, hears numbered turns, and answers them. Strict as the real one: what it cannot
/// read or does not allow is an `error`. One event at a time, through the executor, so that the client can get in between.
/// Threads: the executor's own. Lifetime: `log`, the options' clock and the executor outlive it.
class ScriptedSession {
public:
    using Say = std::function<void(const core::openai::ServerEvent&)>;

    ScriptedSession(core::Executor& executor, ScriptedProviderOptions options, ScriptedProviderLog& log, Say say);

    void hear(std::string_view message);

private:
    struct Item {
        core::openai::Item item;
        int number = 0;
        core::Milliseconds sound{0};
    };

    void on(core::openai::SessionUpdate& update);
    void on(const core::openai::InputAudioBufferAppend& append);
    void on(const core::openai::InputAudioBufferClear& clear);
    void on(const core::openai::InputAudioBufferCommit& commit);
    void on(core::openai::ConversationItemCreate& create);
    void on(const core::openai::ConversationItemTruncate& truncate);
    void on(const core::openai::ResponseCreate& create);
    void on(const core::openai::ResponseCancel& cancel);

    void refuse(const std::string& code, const std::string& eventId, const std::string& message = "not allowed");
    void refuseSetting(const std::string& name);
    void sayRates();
    /// That asks for no other rates than it has. From there on they are as the codec knows them, which is as strict as OpenAI.
    [[nodiscard]] bool takesRates(std::string& message) const;
    [[nodiscard]] bool isOfOtherDialect(std::string_view message) const;
    void say(core::openai::ServerEvent event);
    void goOn();
    [[nodiscard]] Item* find(std::string_view id);
    void keep(core::openai::Item item, int number, bool isTold = false);
    void asked(int number);
    void turnEnds();
    void begin(int number);
    void speak(int number, const std::string& itemId, bool isEndless);
    void endSpeech(int number, const core::openai::Item& item);
    void callFunction(int number, const std::string& itemId);
    void sayDone(core::openai::ResponseStatus status, const std::string& reason);
    void cancelReply(const std::string& reason);
    [[nodiscard]] std::string newId(const char* kind)
    {
        return kind + std::to_string(m_prefix) + "_" + std::to_string(++m_ids);
    }

    core::Executor& m_executor;
    ScriptedProviderOptions m_options;
    ServerQuirks m_quirks;
    ScriptedProviderLog& m_log;
    Say m_say;
    core::openai::Session m_session;
    std::deque<Item> m_items;
    std::map<int, int> m_asked;
    int m_ids = 0;
    int m_prefix = 0;

    // What it is about to say, step by step.
    std::deque<std::function<void()>> m_steps;
    bool m_isGoingOn = false;
    std::shared_ptr<ScriptedSession*> m_self;

    // The reply under way.
    std::string m_response;
    std::deque<std::function<void()>> m_reply;
    std::vector<core::openai::Item> m_output;
    /// What the user said to cause it, where that is told behind it.
    std::optional<core::openai::InputAudioTranscriptionCompleted> m_words;

    // What is being said to it.
    core::FrameCount m_heard;
    core::FrameCount m_quiet;
    bool m_isSpeaking = false;
    int m_speech = 0;
    std::string m_speechItem;
};

} // namespace vivavoce::tests
