#pragma once

#include "core/base/clock.h"
#include "core/base/secret.h"
#include "core/base/voice_rates.h"
#include "core/ports/transport.h"

#include <memory>
#include <string>

namespace vivavoce::core {

/// A short-lived credential for one voice session, and where it opens a door.
/// Invariant: the value is never copied out of its Secret by core.
/// Lifetime: shared between the token source and the session that uses it; the last one to let go wipes it.
struct AccessToken {
    /// Shared with the request or connection that carries it.
    std::shared_ptr<const Secret> value;
    /// The broker's name for the session; not secret.
    std::string sessionId;
    std::string provider;
    /// Which kind of server that is: its voices are known by this name.
    std::string profile{};
    std::string model;
    /// It leads through the broker, which can meter and end the session.
    bool isRelayed = false;
    /// What is said is kept by the project that the session is for.
    bool areTranscriptsKept = false;
    /// The realtime endpoint, model included.
    std::string url;
    AuthStyle auth = AuthStyle::Bearer;
    /// "openai-ga", "openai-beta" or "gemini".
    std::string dialect;
    /// What the other side takes and gives, as far as the broker knows it.
    VoiceRates rates;
    /// In monotonic time, so that setting the clock changes nothing (from RFC 6749 `expires_in`, counted from before the request).
    MonotonicTime expiresAt;
    MonotonicTime refreshAfter;

    /// Gemini's: it is set up once, and its token opens one connection.
    [[nodiscard]] bool isForGemini() const { return dialect == "gemini"; }
    [[nodiscard]] bool isExpired(MonotonicTime now) const { return now >= expiresAt; }
    [[nodiscard]] bool wantsRenewal(MonotonicTime now) const { return now >= refreshAfter; }
};

using TokenPtr = std::shared_ptr<const AccessToken>;

} // namespace vivavoce::core
