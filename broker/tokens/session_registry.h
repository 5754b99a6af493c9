#pragma once

#include "broker/fault.h"
#include "broker/tokens/flight.h"
#include "core/base/clock.h"
#include "core/base/expected.h"
#include "core/base/secret.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vivavoce::broker {

/// What a session is; enough to mint its next token.
struct SessionRecord {
    std::string id;
    /// Who had it minted (auth::Caller::key); only they may resume it.
    std::string caller;
    /// The same for people to read: who vouches for them, and the name they have there.
    std::string issuer;
    std::string subject;
    std::string model;
    std::optional<std::string> voice;
    std::optional<std::string> instructions;
};

/// What makes one refresh a repetition of another.
struct Idempotency {
    /// Empty: no repetition of anything.
    std::string key;
    std::string clientInstance;
    bool operator==(const Idempotency&) const = default;
};

/// This request is the one to renew the session. `complete` or `abandon` ends the claim, always.
struct RenewalLead {
    SessionRecord record;
    std::shared_ptr<Flight> flight;
};
/// The same request is under way already: wait, then claim again.
struct RenewalUnderWay {
    std::string sessionId;
    std::shared_ptr<Flight> flight;
};
/// The same request was answered a moment ago: here is the same answer.
struct RenewalRepeat {
    SessionRecord record;
    core::Secret successor;
    core::MonotonicTime expiresAt;
};
using Renewal = std::variant<RenewalLead, RenewalUnderWay, RenewalRepeat, Fault>;

/// Port: the sessions and which token each has. Knows tokens by HMAC only, but for a successor's repetition window.
/// Invariant: a session has at most one live token and at most one renewal under way.
/// Threads: [any thread]; every call is a short memory operation that does not wait.
class SessionRegistry {
public:
    virtual ~SessionRegistry() = default;

    /// Whether one more session fits now; asked before the provider mints.
    [[nodiscard]] virtual bool hasRoom() = 0;
    [[nodiscard]] virtual core::Expected<void, Fault> open(
        SessionRecord record, std::string_view token, core::MonotonicTime expiresAt) = 0;

    /// Renewal by the bearer of a token. A spent token that is not repeated as agreed ends its session here.
    [[nodiscard]] virtual Renewal claimByToken(std::string_view token, const Idempotency& idempotency) = 0;
    /// Renewal by the session's owner after an outage. SessionNotFound also where it is somebody else's.
    [[nodiscard]] virtual Renewal claimBySession(std::string_view id, std::string_view caller) = 0;
    /// Puts the successor in the place of the old token. False: the session has ended meanwhile, the successor opens nothing here.
    [[nodiscard]] virtual bool complete(
        const RenewalLead& lead, std::string_view successor, core::MonotonicTime expiresAt) = 0;
    virtual void abandon(const RenewalLead& lead, Fault fault) = 0;

    /// Ends a session: its token renews nothing any more. Nothing: there is none of that id.
    [[nodiscard]] virtual std::optional<SessionRecord> end(std::string_view id) = 0;
    /// All sessions of a caller.
    [[nodiscard]] virtual std::vector<SessionRecord> endAllOf(std::string_view caller) = 0;
    [[nodiscard]] virtual std::optional<SessionRecord> find(std::string_view id) const = 0;
    /// The session that a token belongs to, live or spent; for the audit of who reused it.
    [[nodiscard]] virtual std::optional<SessionRecord> findByToken(std::string_view token) const = 0;

    /// Forgets what has run out; called often.
    virtual void sweep() = 0;
    /// Sessions with a live token.
    [[nodiscard]] virtual std::size_t active() const = 0;
    [[nodiscard]] virtual std::size_t activeOf(std::string_view caller) const = 0;
};

} // namespace vivavoce::broker
