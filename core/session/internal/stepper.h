#pragma once

#include "core/session/session_machine.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace vivavoce::core::internal {

/// One step under construction: the state being changed and what is to be done, with the few moves that many rules share.
/// The rules stand in connection_rules.cpp (transport, timers), token_rules.cpp, liveness_rules.cpp (a connection that is dead and does not
/// say so), hand_over_rules.cpp (a provider's session that nears its end), server_rules.cpp (servers that speak the protocol in their own
/// ways), speech_rules.cpp (what the microphone hears), held_turn_rules.cpp (push to talk), turn_rules.cpp (the user's turn) and
/// reply_rules.cpp (the reply).
class Stepper {
public:
    Stepper(SessionState state, MonotonicTime now) : m_state(std::move(state)), m_now(now) {}

    void on(const session_event::Start&);
    void on(const session_event::Stop&);
    void on(const session_event::Abort&);
    void on(const session_event::TokenArrived&);
    void on(const session_event::TokenFailed&);
    void on(const session_event::Opened&);
    void on(const session_event::Closed&);
    void on(const session_event::OpenFailed&);
    void on(const session_event::PingAnswered&);
    void on(const session_event::TimedOut&);

    void on(session_event::ServerSaid&);
    void on(const session_event::EndAnnounced&);
    void on(const session_event::ServerGarbled&);
    void on(session_event::AudioCaptured&);
    void on(session_event::TextEntered&);
    void on(const session_event::Interrupt&);
    void on(const session_event::LoudspeakerGone&);
    void on(const session_event::TurnsByHand&);
    void on(const session_event::TalkHeld&);
    void on(const session_event::PlaybackCut&);
    void on(const session_event::PlaybackDrained&);
    void on(session_event::ToolAnswered&);

    [[nodiscard]] SessionStep finish() &&;

private:
    // Moves
    void setPhase(Phase phase, Milliseconds retryIn = Milliseconds{0});
    void setActivity(Activity activity);
    /// What goes on, derived from who speaks, plays and thinks.
    void settleActivity();
    void put(SessionEffect effect) { m_effects.push_back(std::move(effect)); }
    void tell(SessionNotice notice) { put(session_effect::Tell{std::move(notice)}); }
    void send(openai::ClientEvent event) { put(session_effect::Send{std::move(event)}); }
    void startTimer(SessionTimer timer, Milliseconds delay, Milliseconds jitter = Milliseconds{0});
    void stopTimer(SessionTimer timer) { put(session_effect::StopTimer{timer}); }
    [[nodiscard]] bool isLive() const { return m_state.phase == Phase::Live; }
    [[nodiscard]] bool isGemini() const { return m_state.token != nullptr && m_state.token->isForGemini(); }

    // Connection
    void fetchToken();
    void renewToken();
    /// It opens nothing any more.
    void tokenGone(TokenNews news);
    void connect();
    void configure();
    void goLive();
    void seed();
    void sendHeld();
    void ping();
    void pingUnanswered();
    void heardOf();
    void errorSurvived();
    /// How long the provider's session still lasts.
    void planHandOver(Milliseconds left);
    [[nodiscard]] bool isQuiet() const;
    void handOver();
    void lost(Error error);
    /// There is no connection any more; what was said over it and not settled is kept for the next one.
    void letGo();
    void keepUnsettledSpeech();
    void tellKeptAsLost();
    /// `mayPass`: waiting may help, though that kind of error does not say so.
    void comeBackOrEnd(Error error, bool mayPass);
    void end(std::optional<Error> error);
    void ended();
    void forgetReply();
    void providerError(const openai::ErrorEvent& event);
    void replyRefused();

    // Servers
    /// Ids that it leaves out are ours to give.
    void giveNames(openai::ServerEvent& event);
    [[nodiscard]] std::string nameOfTurn(const std::string& itemId) const;
    /// The first words of a connection.
    void greeted(const openai::ServerEvent& event);
    /// Of a setting that has been left out since.
    [[nodiscard]] bool isEchoOfSettings(const openai::ErrorDetail& error) const;
    /// What it may be due to is not among our settings any more; nothing: there is no such thing.
    [[nodiscard]] std::optional<Setting> leaveOut(const openai::ErrorDetail& error);
    /// Whether the conversation is another one without it.
    [[nodiscard]] bool isMissed(Setting setting) const;
    /// It does not know how to cancel or to truncate: it is not asked again over this connection.
    [[nodiscard]] bool retractionRefused(const openai::ErrorDetail& error);
    /// What the connection is to be asked for: by its profile, else by what it names of its own accord.
    [[nodiscard]] VoiceRates wantedRates() const;
    /// The formats that it names are those in which it hears and speaks.
    void believeFormats(const openai::Session& given);
    /// It has taken none of our settings, or has not said so: it is as it was before them.
    void goLiveAsItIs();
    /// What the provider has made of our settings.
    void compareSettings(const openai::Session& given);
    void compareFormat(const char* setting, SampleRate asked, const std::optional<openai::AudioFormat>& given);
    void tellDifference(const char* setting, std::string asked, std::string given);
    void cancelReply();
    void sendTruncate(const ReplyItem& item, Milliseconds heard);
    /// All of an item has come; there may be more of the reply.
    void itemEnded(const std::string& responseId);
    void itemGoesOn(const std::string& responseId);
    /// The reply is over, and the server does not say so.
    void replyEndedUnsaid();
    void called(ToolCall call);
    /// With what it called on the way, where the end does not tell of it.
    [[nodiscard]] openai::Response withCalls(openai::Response response);
    void on(const openai::ConversationCreated&);
    void on(const openai::ResponseOutputItemDone&);
    void on(const openai::ResponseFunctionCallArgumentsDone&);

    // Turns
    void on(const openai::SessionCreated&);
    void on(const openai::SessionUpdated&);
    void on(const openai::InputAudioBufferSpeechStarted&);
    void on(const openai::InputAudioBufferSpeechStopped&);
    void on(const openai::InputAudioBufferCommitted&);
    void on(const openai::ConversationItemDeleted&);
    void on(const openai::InputAudioTranscriptionDelta&);
    void on(const openai::InputAudioTranscriptionCompleted&);
    void on(const openai::InputAudioTranscriptionFailed&);
    void on(const openai::ResponseCreated&);
    void on(const openai::ResponseOutputItemAdded&);
    void on(openai::ResponseOutputAudioDelta&);
    void on(const openai::ResponseOutputAudioDone&);
    void on(const openai::ResponseOutputAudioTranscriptDelta&);
    void on(const openai::ResponseOutputAudioTranscriptDone&);
    void on(const openai::ResponseOutputTextDelta&);
    void on(const openai::ResponseOutputTextDone&);
    void on(const openai::ResponseDone&);
    void heldTurnBegins();
    void heldTurnEnds();
    /// What is being said is a turn now, and is to be answered.
    void commitTurn(const std::string& itemId);
    /// What was kept has been sent; a turn that ended meanwhile is in it.
    void heldTurnSent();
    void tellCut(const HeardAudio& heard);
    void itemExists(const openai::Item& item, const std::string& previousItemId);
    void replyText(const std::string& responseId, const std::string& itemId, const std::string& text, bool isFinal);
    void writingBegins(const std::string& responseId, const std::string& itemId);
    void replyHeardOf(const std::string& responseId);
    [[nodiscard]] ReplyItem& replyItem(const std::string& responseId, const std::string& itemId);
    /// Of the reply in progress the user hears no more than what was heard.
    void deafen();
    void cutUnfinished();
    /// The user knows only so much of it: the entry says so, and the provider is told where it has speech.
    void cutItem(ReplyItem& item, Milliseconds heard, double share);
    void truncate(ReplyItem& item, Milliseconds heard);
    /// Only that share of it reached the user.
    void markHeard(ConversationEntry& entry, double share);
    /// All that was given out has been heard.
    void queueHeard();
    /// The reply that they belong to is over.
    void settleItems(const std::string& responseId, bool wasCompleted);
    /// Of it as it has come.
    [[nodiscard]] Milliseconds soundOf(const ReplyItem& item) const;
    /// Counts what waits to be heard; whether that is more than anybody would wait for.
    [[nodiscard]] bool isTooFarAhead(std::size_t samples);
    void requestReply();
    /// Where something waits to be asked for and may be.
    void askForWanted();
    /// The provider makes a reply of its own accord when they are done; it goes by all that was told before.
    [[nodiscard]] bool isUsersTurn() const { return m_state.isUserSpeaking || m_state.reply.isAwaited; }
    void stopReply();
    [[nodiscard]] static bool isAnswer(const openai::Response& response);
    void startTools(const openai::Response& response);
    /// As it was told to the model.
    std::string answerCall(const ToolCall& call, const Expected<std::string, Error>& output);
    void sendOutput(const std::string& callId, std::string output);
    /// What functions have answered, to a connection that knows of none of it.
    void seedCalls();
    /// The user wants to hear nothing of what they find.
    void stopTools();
    void tellEntry(const ConversationEntry& entry)
    {
        tell(session_notice::TranscriptChanged{entry, m_state.log.toldAfter(entry.itemId)});
    }
    /// What was said is not to be said again after a reconnect.
    void turnsAnswered()
    {
        m_state.lostReplies = 0;
        const bool hasWriter = !m_state.options->transcriptionModel.empty();
        m_state.speech.answered(hasWriter && !m_state.leftOut.contains(Setting::Transcription));
    }
    /// What is too long ago to be told again.
    void forgetOldWords() { m_state.log.keepLatest(m_state.options->toldEntries, m_state.options->toldBytes); }
    /// It is said again as another item, or was deleted.
    void forgetEntry(const std::string& itemId);
    void sendAudio(Bytes pcm);
    void holdAudio(Bytes pcm);
    void dropTooOld();
    /// In bytes.
    [[nodiscard]] std::size_t mostHeld() const;
    void holdInstead(std::span<const std::uint8_t> pcm);
    void useRates(const VoiceRates& rates);

    SessionState m_state;
    MonotonicTime m_now;
    SessionEffects m_effects;
};

} // namespace vivavoce::core::internal
