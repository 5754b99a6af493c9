#pragma once

#include "core/base/base64.h"
#include "core/base/error.h"
#include "core/base/voice_rates.h"
#include "core/ports/tool_runner.h"
#include "core/protocol/openai/client_events.h"
#include "core/protocol/openai/response.h"
#include "core/session/conversation_log.h"
#include "core/session/session_event.h"
#include "core/session/session_state.h"
#include "core/token/token_source.h"

#include <string>
#include <variant>
#include <vector>

namespace vivavoce::core {

/// Expired: its time is over. Revoked: it was refused before that, by the broker or by the provider.
enum class TokenNews { Acquired, Refreshed, Failed, Expired, Revoked };

/// What the session tells those who show it. Texts are the provider's or the user's; nothing here is secret.
namespace session_notice {

struct PhaseChanged {
    Phase phase;
    /// Until the next attempt, while Waiting.
    Milliseconds retryIn{0};
    /// Nothing was lost: the provider's session is near its end, and a fresh one takes over.
    bool isHandOver = false;
};
struct ActivityChanged {
    Activity activity;
};
struct TranscriptChanged {
    ConversationEntry entry;
    /// The told entry that comes right behind it in the log; empty: none does. Words often come after the reply to them.
    std::string nextItemId{};
};
/// That entry is in the conversation no longer: the provider deleted it, or it is said again as another one.
struct TranscriptRemoved {
    std::string itemId;
};
struct TokenChanged {
    TokenNews news;
    std::string sessionId;
    Milliseconds lifetime{0};
    /// Until it is renewed of its own accord; 0: at once, or never.
    Milliseconds renewIn{0};
    /// What it opens the door to.
    std::string provider{};
    std::string model{};
    bool isRelayed = false;
    /// What is said is kept by the project that the session is for: its user is to be told.
    bool areTranscriptsKept = false;
    /// Which kind of server the provider is, whatever its broker calls it: its voices are known by this name. Empty: by the provider's.
    std::string profile{};
};
struct ToolCalled {
    ToolCall call;
};
struct ToolDone {
    ToolCall call;
    Expected<std::string, Error> output;
};
/// What one reply cost.
struct ReplyUsage {
    std::string responseId;
    openai::Usage usage;
    /// Some providers tell of it in pieces, or of what belongs to no reply: one of all that is told of a reply.
    bool isTurn = true;
};
/// What writing down one spoken turn cost; the shape is the transcriber's own.
struct TranscriptionUsage {
    std::string itemId;
    openai::TranscriptionUsage usage;
    /// The transcriber.
    std::string model{};
};
/// The user's speech ended, at this position of the audio sent.
struct SpeechStopped {
    Milliseconds audioEnd{0};
    /// It was too short for a turn, as that of a key that was only touched: no words come of it.
    bool wasNone = false;
};
/// The first sound or text of a reply.
struct ReplyStarted {
    std::string responseId;
};
struct ReplyEnded {
    std::string responseId;
    bool wasCompleted = false;
    /// No function is to be answered before the conversation goes on. It may say nothing at all.
    bool isAnswer = false;
};
struct AudioLost {
    Milliseconds amount{0};
};
/// Something went wrong and the conversation goes on.
struct Problem {
    Error error;
};
/// The provider goes on with something else than was asked for, and has not called that an error. Once for each setting.
struct SettingDiffers {
    /// "model", "voice", "input_format", "output_format".
    std::string setting;
    std::string asked;
    std::string given;
};
/// A problem of that code is over.
struct ProblemSolved {
    ErrorCode code = ErrorCode::Internal;
};
struct Ended {
    /// Nothing: the user ended it.
    std::optional<Error> error;
};

} // namespace session_notice

using SessionNotice = std::variant<session_notice::PhaseChanged, session_notice::ActivityChanged,
    session_notice::TranscriptChanged, session_notice::TranscriptRemoved, session_notice::TokenChanged,
    session_notice::ToolCalled, session_notice::ToolDone, session_notice::ReplyUsage,
    session_notice::TranscriptionUsage, session_notice::SpeechStopped, session_notice::ReplyStarted,
    session_notice::ReplyEnded, session_notice::AudioLost, session_notice::Problem, session_notice::SettingDiffers,
    session_notice::ProblemSolved, session_notice::Ended>;

/// What the runner is to do. In order.
namespace session_effect {

struct FetchToken {
    TokenQuery query;
};
/// The provider refused it: it is not to be handed out again.
struct DiscardToken {
    TokenPtr token;
};
struct OpenTransport {
    TokenPtr token;
};
struct CloseTransport {
    std::uint16_t code = 1000;
    std::string reason;
};
/// Lets go of the connection without a word.
struct DropTransport {};
struct Send {
    openai::ClientEvent event;
};
/// Answered by session_event::PingAnswered, while there is a connection.
struct Ping {};
struct StartTimer {
    SessionTimer timer;
    Milliseconds delay{0};
    /// The runner may take up to this much off, at random, so that many clients do not come back at once.
    Milliseconds jitter{0};
};
struct StopTimer {
    SessionTimer timer;
};
/// From now on speech is captured, and replies are played, at those.
struct UseRates {
    VoiceRates rates;
};
struct StartVoice {};
struct StopVoice {};
struct Play {
    std::string itemId;
    int contentIndex = 0;
    Bytes pcm;
};
struct FinishItem {
    std::string itemId;
};
/// Answered by session_event::PlaybackCut.
struct CutPlayback {};
struct RunTool {
    ToolCall call;
};
struct CancelTools {};
struct Tell {
    SessionNotice notice;
};

} // namespace session_effect

using SessionEffect = std::variant<session_effect::FetchToken, session_effect::DiscardToken,
    session_effect::OpenTransport, session_effect::CloseTransport, session_effect::DropTransport, session_effect::Send,
    session_effect::Ping, session_effect::StartTimer, session_effect::StopTimer, session_effect::UseRates,
    session_effect::StartVoice, session_effect::StopVoice, session_effect::Play, session_effect::FinishItem,
    session_effect::CutPlayback, session_effect::RunTool, session_effect::CancelTools, session_effect::Tell>;

using SessionEffects = std::vector<SessionEffect>;

} // namespace vivavoce::core
