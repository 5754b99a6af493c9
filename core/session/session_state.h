#pragma once

#include "core/base/base64.h"
#include "core/base/error.h"
#include "core/base/voice_rates.h"
#include "core/ports/tool_runner.h"
#include "core/protocol/openai/presence.h"
#include "core/protocol/openai/session_config.h"
#include "core/session/conversation_log.h"
#include "core/session/session_options.h"
#include "core/session/speech_memory.h"
#include "core/token/access_token.h"

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// How far the connection is.
enum class Phase {
    Idle,
    FetchingToken,
    Connecting,
    /// The handshake is done; the provider has not yet said that there is a session.
    Starting,
    Configuring,
    Live,
    /// Lost; the next attempt is due when the back-off ends.
    Waiting,
    Closing,
    Ended,
};

/// What goes on in a live conversation.
/// Stalled: the connection has gone quiet and may be dead.
enum class Activity { Listening, HearingUser, Thinking, RunningTool, Speaking, Stalled };

/// Parts of our settings that a conversation is possible without.
enum class Setting { Formats, Padding, Voice, Transcription, Tools };

/// How sound goes over the wire, each way.
struct SoundEncodings {
    openai::AudioEncoding input = openai::AudioEncoding::Pcm;
    openai::AudioEncoding output = openai::AudioEncoding::Pcm;

    bool operator==(const SoundEncodings&) const = default;
};

/// How the server of a connection speaks OpenAI Realtime, as far as it has shown.
struct ServerTraits {
    /// It is written to in that; what it says is read in either.
    openai::Dialect dialect = openai::Dialect::Ga;
    bool takesCancel = true;
    bool takesTruncate = true;
    /// A reply ends with response.done; nothing: none has ended yet.
    std::optional<bool> endsReplies;
    /// Its rates, as the broker knows them.
    VoiceRates known;
    /// What it takes and gives where nobody asks for anything; nothing: it has not said.
    std::optional<SampleRate> ownInput;
    std::optional<SampleRate> ownOutput;
    SoundEncodings ownEncodings;
    /// What it has sound as. Here it is PCM throughout: `rates` say at which rate.
    SoundEncodings encodings;
    /// The type of what it said in place of a greeting.
    std::string oddGreeting;
    /// Functions that its model goes on talking beside.
    std::set<std::string> beside;
};

/// At which a server hears and speaks, as it has said itself once it had our settings; nothing: it has not.
struct NamedRates {
    /// Of its tokens.
    std::string url;
    std::optional<SampleRate> input;
    std::optional<SampleRate> output;
};

[[nodiscard]] std::string_view phaseText(Phase phase);
[[nodiscard]] std::string_view activityText(Activity activity);

/// The one reply that a conversation may have at a time (OpenAI Realtime GA: a second response.create is an error).
struct ReplyGate {
    /// The response in progress, from response.created to response.done.
    std::string activeId;
    /// The item that its audio belongs to.
    std::string itemId;
    /// response.create has been sent and response.created is not yet here.
    bool isRequested = false;
    /// What that response.create is called, should it be refused.
    std::string requestId;
    /// The provider is to make one of its own accord: the user's turn has ended.
    bool isAwaited = false;
    /// Another one is to be asked for as soon as this one is done.
    bool isWanted = false;
    /// What was to be asked for is answered with the reply that the provider is to make of its own accord.
    bool isPartOfTurn = false;
    /// The user stopped it before it had an id.
    bool cancelWhenCreated = false;
    /// Its late deltas are not played: the user has spoken over it.
    bool isDeaf = false;
    /// It goes by what functions have answered.
    bool isForTools = false;
    /// The last one ended without a word on what it cost: that comes behind it.
    bool isCostToCome = false;
    /// All of an item of it has come, and nothing of another one since.
    bool hasItemEnded = false;
    /// Nobody has asked for it: it is said while functions run, and answers nothing.
    bool isBesideTools = false;
    /// Functions that it has called so far.
    std::vector<ToolCall> calls;

    [[nodiscard]] bool isFree() const { return activeId.empty() && !isRequested; }
    bool operator==(const ReplyGate&) const = default;
};

/// One item of a reply, and what the user has of it.
struct ReplyItem {
    std::string id;
    std::string responseId;
    int contentIndex = 0;
    /// Of its speech, given out to be heard.
    std::size_t bytes = 0;
    /// No more speech of it will come.
    bool isComplete = false;
    /// It is read, not heard.
    bool isWritten = false;
    /// Given out, and perhaps not heard to its end yet.
    bool isQueued = false;
    /// No more of it reaches the user than has.
    bool isCut = false;
    /// The provider knows that, or is not there any more.
    bool isTruncated = false;
    /// Of what was given out, so much was heard when it was cut.
    double heard = 0;
};

/// A function call with what it was answered.
struct AnsweredCall {
    ToolCall call;
    std::string output;
};

/// Function calls since the last reply that was an answer.
struct ToolRound {
    /// Not answered yet.
    std::vector<ToolCall> running;
    /// Answered: a next connection is told, so that nothing is done twice.
    std::vector<AnsweredCall> answered;
    /// All are answered, and no reply has begun since that could go by it.
    bool wantsReply = false;
    /// Replies in a row that only called functions.
    int rounds = 0;
};

/// Push to talk.
struct HeldTurn {
    bool isByHand = false;
    /// The key is down.
    bool isDown = false;
    /// The key is up, and what was said is still on its way from the microphone.
    bool isEnding = false;
    /// It ended while nothing could be sent: the provider is told when it has heard all of it.
    bool isDue = false;
    /// Where it began: bytes of speech over this connection.
    std::size_t begin = 0;
};

/// To what a reply is to be asked for over the next connection. What functions have answered concerns also a reply that was begun.
enum class OwedReply { None, ToWords, ToTools };

/// Everything that the session knows. A value: `next` makes a new one of it and of an event.
struct SessionState {
    std::shared_ptr<const SessionOptions> options = std::make_shared<const SessionOptions>();
    Phase phase = Phase::Idle;
    Activity activity = Activity::Listening;

    TokenPtr token;
    /// Gemini's: the one that the present or the last connection was opened with.
    TokenPtr openedWith;
    /// The broker's session, kept for resuming when the token has expired.
    std::string sessionId;
    /// Failures in a row since something was last heard of over a live connection.
    int attempts = 0;
    /// Connections in a row that were lost with a reply of which nothing had come: whoever falls over each of them is not to be asked for ever.
    int lostReplies = 0;
    /// Since `start`: was there ever a live phase? A first connection that fails is told differently from a lost one.
    bool wasLive = false;
    /// The provider refused a token that may have been too old; a fresh one is the second and last try.
    bool isCredentialSuspect = false;
    /// The token that is waited for was asked for with the one in hand.
    bool isExchanging = false;
    /// A renewal is under way while the conversation goes on.
    bool isRenewing = false;
    /// Renewals in a row that failed.
    int failedRenewals = 0;
    /// A renewal of the token was asked for and not answered: it may open nothing any more. The same of the one that opened the connection.
    bool isTokenDoubtful = false;
    bool isConnectionsTokenDoubtful = false;
    /// Of the connection: through the broker, which answers pings by itself.
    bool isRelayed = false;
    /// The provider's session is near its end; a fresh one takes over at the next quiet moment.
    bool isHandOverDue = false;
    /// Pings since the other side was last heard of.
    int unansweredPings = 0;
    /// Not every provider answers them; its silence means nothing then.
    bool arePingsAnswered = false;
    /// Speech that was kept and sent at once, up to that position of the speech: no ping behind it is answered before it is through.
    Milliseconds backlog{0};
    std::size_t backlogEnd = 0;
    /// It has been silent for longer than is usual; what is said is kept, and not sent, until it is heard of again.
    bool isStalled = false;
    /// What the provider said before it hung up: the authority on why (FACTS: the close code is a hint).
    std::optional<Error> lastProviderError;
    /// Why it ended; nothing for an end that the user wanted.
    std::optional<Error> failure;
    /// There is no connection any more; what was heard of the reply is the last thing to be told before the end.
    bool endsWithCut = false;

    ReplyGate reply;
    /// Of the reply in progress, and of earlier ones that are still to be heard; in the order in which they came.
    std::vector<ReplyItem> replyItems;
    ToolRound tools;
    ConversationLog log;
    /// response.create so far.
    int replyRequests = 0;
    /// response.cancel and conversation.item.truncate so far.
    int retractions = 0;
    ServerTraits server;
    /// What the provider does not take: it is as it likes there.
    std::set<Setting> leftOut;
    /// Settings of which it was told that the provider has others.
    std::set<std::string> toldToDiffer;
    /// Replies, and turns that were written down, that came without an id and have one from here.
    int namelessReplies = 0;
    int namelessTurns = 0;
    /// At which the two voices are exchanged, over this connection or the next one.
    VoiceRates rates;
    /// Of the present or the last server.
    NamedRates named;
    SpeechMemory speech;
    /// At the rate of the input.
    std::deque<Bytes> heldAudio;
    std::size_t heldAudioSize = 0;
    Milliseconds lostAudio{0};
    /// Something was said before there was a connection, or the connection was lost before the answer came: it is asked for.
    OwedReply owedReply = OwedReply::None;
    /// Typed messages so far: they get their ids here, so that they are known before the provider has seen them.
    int typedMessages = 0;
    bool isUserSpeaking = false;
    /// Of what is being said, where the provider has given it one.
    std::string turnItemId;
    HeldTurn held;
    bool isPlaying = false;
    /// Speech of replies that had come and could not have been heard yet, at that time.
    MonotonicTime::duration soundAhead{0};
    MonotonicTime soundAheadAt{};
};

} // namespace vivavoce::core
