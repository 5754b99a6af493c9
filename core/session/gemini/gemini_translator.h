#pragma once

#include "core/base/units.h"
#include "core/ports/transport.h"
#include "core/protocol/gemini/client_messages.h"
#include "core/protocol/gemini/server_messages.h"
#include "core/protocol/openai/client_events.h"
#include "core/protocol/openai/server_events.h"
#include "core/session/gemini/gemini_memory.h"
#include "core/session/gemini/gemini_setup.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::core {

/// One connection to Gemini Live for a session that speaks OpenAI Realtime. Pure: it says what is to be sent either way.
/// Gemini says nothing of when the user begins and stops to speak; a turn begins here with the first words of it or with the interruption of
/// the reply, and ends with the reply to it.
/// Lifetime: the memory outlives it. Threads: one at a time.
class GeminiTranslator {
public:
    struct Steps {
        std::vector<gemini::ClientMessage> toProvider;
        std::vector<openai::ServerEvent> toSession;
        /// The connection is to be replaced by another one within that time.
        std::optional<Milliseconds> endsIn;
    };

    GeminiTranslator(std::string model, GeminiMemory& memory, TakesTime takesTime)
        : m_model(std::move(model)), m_memory(memory), m_takesTime(std::move(takesTime))
    {
    }

    /// The connection is open; nothing has been said.
    [[nodiscard]] Steps opened();
    [[nodiscard]] Steps said(openai::ClientEvent event);
    [[nodiscard]] Steps heard(gemini::ServerMessage message);
    /// The connection is over. `close` is what the session is to be told of why.
    [[nodiscard]] Steps closed(TransportClose& close);

private:
    /// Something to tell the model before it is asked.
    struct Line {
        bool isUsers = true;
        std::string text;
    };
    struct Reply {
        std::string id;
        std::string itemId;
        std::string transcript;
        std::string text;
        bool hasSound = false;
    };

    // Of the session (gemini_client_rules.cpp)
    void on(const openai::SessionUpdate& update);
    void on(openai::InputAudioBufferAppend& append);
    void on(const openai::InputAudioBufferCommit&);
    void on(const openai::InputAudioBufferClear&);
    void on(openai::ConversationItemCreate& create);
    void on(const openai::ResponseCreate&);
    void on(const openai::ResponseCancel& cancel);
    [[nodiscard]] gemini::Setup setup() const;
    [[nodiscard]] gemini::Setup setupOf(const openai::Session& session) const
    {
        return geminiSetup(session, m_model, m_takesTime);
    }
    void sendSound(Bytes pcm);
    void beginHeldTurn();
    /// Lines that the model is to answer, or only to know.
    void tellLines(bool areToBeAnswered);
    void answerCall(const std::string& callId, const std::string& output);
    /// One that the model did not wait for.
    void answerLate(gemini::FunctionResponse answer, bool isToBeSaid);
    void sendAnswers();
    [[nodiscard]] bool isWaitingForCalls() const;

    // Of the provider (gemini_server_rules.cpp)
    void on(const gemini::SetupComplete&);
    void on(gemini::ServerContent& content);
    void on(const gemini::ToolCall& toolCall);
    void on(const gemini::ToolCallCancellation& cancellation);
    void on(const gemini::SessionResumptionUpdate& update);
    void on(const gemini::UsageMetadata& snapshot);
    void on(const gemini::VoiceActivity& activity);
    void interrupted();
    void turnOver();
    void modelSaid(gemini::Part& part);
    void userWords(const gemini::TranscriptPiece& piece);
    void replyWords(const std::string& words);
    void beginReply();
    void beginItem();
    void endReply(openai::ResponseStatus status, const char* reason, std::vector<openai::Item> calls = {});
    void endTranscript(const Reply& reply);
    /// A reply that says nothing: whoever waits for one waits no longer.
    void replyNothing(openai::ResponseStatus status);
    void tellUsage(const openai::Usage& usage);

    // The user's turn (gemini_turn_rules.cpp)
    void userTurnBegins(Milliseconds at);
    /// Nothing: nobody knows when.
    void userTurnEnds(std::optional<Milliseconds> at);
    void newUserItem();
    void commitUserItem();
    /// There are no more words to come of it.
    void endUserWords();
    [[nodiscard]] Milliseconds soundSent() const;

    void send(gemini::ClientMessage message) { m_steps.toProvider.push_back(std::move(message)); }
    void tell(openai::ServerEvent event) { m_steps.toSession.push_back(std::move(event)); }

    const std::string m_model;
    GeminiMemory& m_memory;
    const TakesTime m_takesTime;
    Steps m_steps;

    openai::Session m_session;
    /// As it was sent.
    std::optional<gemini::Setup> m_setup;
    bool m_isReady = false;
    bool m_takesHistory = false;
    std::vector<Line> m_lines;
    /// Calls of an earlier connection, in words, by their ids.
    std::map<std::string, std::string> m_earlierCalls;

    std::size_t m_soundBytes = 0;
    std::size_t m_turnEndBytes = 0;
    // Push to talk: the key is down, the provider knows, and what it does not know yet.
    bool m_isHeld = false;
    bool m_isHeldTold = false;
    Bytes m_heldSound;

    std::string m_userItem;
    bool m_isUserSpeaking = false;
    bool m_areWordsToCome = false;
    std::string m_userWords;
    /// Words that came while the model spoke, and are not of the turn that it answers.
    std::string m_earlyWords;

    std::optional<Reply> m_reply;
    /// All of it has come, but for words.
    std::optional<Reply> m_ending;
    /// The session has asked for a reply ...
    bool m_isReplyAsked = false;
    /// ... and the provider has been told something that it answers next.
    bool m_isReplyDue = false;
    /// What comes until the turn is over is not to be heard.
    bool m_isMuted = false;
    /// The model has called functions in this turn, and may go on with it.
    bool m_hasCalled = false;
    /// So many functions have been answered late, each of which the model speaks of when it likes.
    int m_lateWordsDue = 0;
    /// Not answered yet: names by ids. The model waits for some of them ...
    std::map<std::string, std::string> m_calls;
    /// ... and is told when all of those are answered.
    std::vector<gemini::FunctionResponse> m_answers;
};

} // namespace vivavoce::core
