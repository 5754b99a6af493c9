#pragma once

#include "core/base/base64.h"
#include "core/base/error.h"
#include "core/ports/transport.h"
#include "core/ports/voice_io.h"
#include "core/protocol/openai/server_events.h"
#include "core/token/access_token.h"

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>

namespace vivavoce::core {

/// Waits that can run out. Starting one that runs restarts it.
enum class SessionTimer {
    Token,
    FirstEvent,
    Configured,
    Reply,
    TurnEnd,
    Liveness,
    HandOver,
    Renewal,
    Expiry,
    Backoff,
    Close
};

/// All of them.
inline constexpr std::array kSessionTimers{SessionTimer::Token, SessionTimer::FirstEvent, SessionTimer::Configured,
    SessionTimer::Reply, SessionTimer::TurnEnd, SessionTimer::Liveness, SessionTimer::HandOver, SessionTimer::Renewal,
    SessionTimer::Expiry, SessionTimer::Backoff, SessionTimer::Close};

/// Everything that can happen to a session.
namespace session_event {

struct Start {};
/// The user ends the conversation; it never comes back by itself.
struct Stop {};
/// Something outside (a child process, the sound) makes going on pointless.
struct Abort {
    Error error;
};
struct TokenArrived {
    TokenPtr token;
};
struct TokenFailed {
    Error error;
};
struct Opened {
    /// Functions that the model goes on talking beside.
    std::set<std::string> beside{};
};
struct Closed {
    TransportClose close;
};
struct OpenFailed {
    Error error;
};
/// The other side has answered a ping: which one of this connection, from 1 on.
struct PingAnswered {
    std::uint64_t ping = 0;
};
struct ServerSaid {
    openai::ServerEvent event;
    /// Until the provider ends the session, where it says when.
    std::optional<Milliseconds> sessionLeft{};
};
/// The connection is to be left within that time.
struct EndAnnounced {
    Milliseconds left{0};
};
/// A message that cannot be read.
struct ServerGarbled {
    Error error;
};
/// PCM16, little endian, mono, at the rate that the runner was last told (session_effect::UseRates).
struct AudioCaptured {
    Bytes pcm;
};
struct TextEntered {
    std::string text;
};
/// The user wants the reply to stop.
struct Interrupt {};
/// What played the reply is gone. Functions go on, and the next reply can be read.
struct LoudspeakerGone {};
/// Push to talk: a turn is what is said while the key is down, and not what the provider takes for one.
struct TurnsByHand {
    bool isOn = false;
};
/// That key. It counts only where turns are made by hand.
struct TalkHeld {
    bool isHeld = false;
};
/// Playback was cut, as asked; what was heard until then.
struct PlaybackCut {
    HeardAudio heard;
};
struct PlaybackDrained {};
struct ToolAnswered {
    std::string callId;
    Expected<std::string, Error> output;
};
struct TimedOut {
    SessionTimer timer;
};

} // namespace session_event

using SessionEvent = std::variant<session_event::Start, session_event::Stop, session_event::Abort,
    session_event::TokenArrived, session_event::TokenFailed, session_event::Opened, session_event::Closed,
    session_event::OpenFailed, session_event::PingAnswered, session_event::ServerSaid, session_event::EndAnnounced,
    session_event::ServerGarbled, session_event::AudioCaptured, session_event::TextEntered, session_event::Interrupt,
    session_event::LoudspeakerGone, session_event::TurnsByHand, session_event::TalkHeld, session_event::PlaybackCut,
    session_event::PlaybackDrained, session_event::ToolAnswered, session_event::TimedOut>;

} // namespace vivavoce::core
