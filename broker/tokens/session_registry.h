#pragma once

#include "broker/fault.h"
#include "broker/tokens/flight.h"
#include "broker/tokens/token_hasher.h"
#include "core/base/clock.h"
#include "core/base/expected.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace vivavoce::broker {

class Connection;

/// The provider's own token, or the broker's relay.
enum class SessionTransport { Direct, Relay };
/// "direct", "relay".
[[nodiscard]] std::string_view transportText(SessionTransport transport);

/// What a session is; enough to mint its next token.
struct SessionRecord {
    std::string id;
    SessionTransport transport = SessionTransport::Direct;
    /// Who had it minted (auth::Caller::key); only they may resume it.
    std::string caller;
    /// The same for people to read: who vouches for them, and the name they have there.
    std::string issuer;
    std::string subject;
    /// Empty: none.
    std::string project;
    /// The run of a client that has it; nobody else may renew it. Empty: the client did not say.
    std::string clientInstance;
    std::string model;
    std::optional<std::string> voice;
    std::optional<std::string> instructions;
    core::WallTime startedAt{};
    /// No token of it lives longer. Unset: the provider alone ends it.
    std::optional<core::WallTime> endsAt;
    /// Its client was told that what is said is kept; of others it is not, whatever the policy has become.
    bool keepsTranscript = false;
};

/// A session and how long its token lives.
struct LiveSession {
    SessionRecord record;
    core::WallTime expiresAt;
};

/// What makes one refresh a repetition of another.
struct Idempotency {
    /// Empty: no repetition of anything.
    std::string key;
    std::string clientInstance;
    bool operator==(const Idempotency&) const = default;
};

/// A session's next token, as far as the registry is told of it.
struct Successor {
    TokenHash token{};
    core::WallTime expiresAt;
    /// Opaque (SuccessorSeal): given again to a repetition. Empty: there is none.
    std::string sealed;
};

/// This request is the one to renew the session. `complete` or `abandon` ends the claim, always.
struct RenewalLead {
    SessionRecord record;
    std::shared_ptr<Flight> flight;
    /// Names the claim.
    std::string claim;
    /// The session's token until now, as the store knows it, and how long that lives: where the renewal has to be taken back.
    std::string formerToken{};
    core::WallTime formerExpiresAt{};
};
/// The same request is under way already: wait, then claim again.
struct RenewalUnderWay {
    SessionRecord record;
    std::string claim;
    std::shared_ptr<Flight> flight;
};
/// The same request was answered a moment ago: here is the same answer.
struct RenewalRepeat {
    SessionRecord record;
    std::string sealed;
    core::WallTime expiresAt;
};
/// A spent token came again, and not as agreed. Somebody has a copy, and nobody can tell who of the two is the owner: whoever asked tells
/// the audit and ends the session.
struct RenewalReuse {
    SessionRecord record;
};
/// The token is known, and its session is not renewed all the same.
struct RenewalRefused {
    SessionRecord record;
    Fault fault;
};
using Renewal = std::variant<RenewalLead, RenewalUnderWay, RenewalRepeat, RenewalReuse, RenewalRefused, Fault>;

/// Of how many live sessions a new one may be the last. Nothing: any number.
struct SessionCaps {
    std::optional<std::size_t> ofCaller{};
    std::optional<std::size_t> ofProject{};
};

/// Port: the sessions and which token each has. Knows tokens by HMAC only.
/// Invariants: a session has at most one live token and at most one renewal under way; two parallel calls never both get the last
/// place under a cap.
/// Every call may also end in Unavailable: the store cannot be asked, and nothing has changed that anybody was told of.
/// Threads: [any thread]; coroutines on the caller's executor.
class SessionRegistry {
public:
    template <typename T>
    using Answer = net::Awaitable<core::Expected<T, Fault>>;

    virtual ~SessionRegistry() = default;

    /// Whether one more session fits, asked before the provider mints. Not promised: `open` decides. SessionsFull.
    [[nodiscard]] virtual bool hasRoom() = 0;
    /// What is to be there together with a session or not at all: runs in its transaction, and its fault keeps the session from opening.
    using Together = std::function<std::optional<Fault>(Connection&)>;
    /// SessionsFull, TooManySessions, ProviderMalformed where another session has that token, or what `together` says.
    [[nodiscard]] virtual net::Awaitable<std::optional<Fault>> open(
        SessionRecord record, TokenHash token, core::WallTime expiresAt, SessionCaps caps, Together together = {}) = 0;

    /// Renewal by the bearer of a token.
    [[nodiscard]] virtual net::Awaitable<Renewal> claimByToken(TokenHashes token, Idempotency idempotency) = 0;
    /// Renewal by the session's owner after an outage. SessionNotFound also where it is somebody else's, TooManySessions where its place has
    /// been taken meanwhile.
    [[nodiscard]] virtual net::Awaitable<Renewal> claimBySession(
        std::string id, std::string caller, std::string clientInstance, SessionCaps caps) = 0;
    /// Puts the successor in the place of the old token. False: the session has ended meanwhile, the successor opens nothing here.
    [[nodiscard]] virtual Answer<bool> complete(RenewalLead lead, Successor successor) = 0;
    /// The token that the claim came with stays good. Whoever waits for the renewal gets the fault.
    [[nodiscard]] virtual net::Awaitable<> abandon(RenewalLead lead, Fault fault) = 0;
    /// The same where nobody can wait for it, as in a destructor.
    virtual void abandonSoon(const RenewalLead& lead, Fault fault) = 0;

    /// Ends a session: its token renews nothing any more. Nothing: there is none of that id.
    [[nodiscard]] virtual Answer<std::optional<SessionRecord>> end(std::string id) = 0;
    /// All sessions of a caller; of a project.
    [[nodiscard]] virtual Answer<std::vector<SessionRecord>> endAllOf(std::string caller) = 0;
    [[nodiscard]] virtual Answer<std::vector<SessionRecord>> endAllOfProject(std::string project) = 0;
    [[nodiscard]] virtual Answer<std::optional<SessionRecord>> find(std::string id) = 0;
    /// The session whose token this is, as long as it lives.
    [[nodiscard]] virtual Answer<std::optional<LiveSession>> liveByToken(TokenHashes token) = 0;
    /// Whether it is, or was, a session's token.
    [[nodiscard]] virtual Answer<bool> isKnown(TokenHashes token) = 0;
    /// When the tokens of these sessions run out; those that have ended are not there.
    using Expiries = std::unordered_map<std::string, core::WallTime>;
    [[nodiscard]] virtual Answer<Expiries> expiriesOf(std::vector<std::string> ids) = 0;
    /// The live ones of a caller, oldest first, at most 1,000.
    [[nodiscard]] virtual Answer<std::vector<LiveSession>> liveOf(std::string caller) = 0;
    /// How many live ones a caller has.
    [[nodiscard]] virtual Answer<std::size_t> countOf(std::string caller) = 0;

    /// Forgets what has run out; called often.
    [[nodiscard]] virtual net::Awaitable<> sweep() = 0;
    /// Sessions with a live token.
    [[nodiscard]] virtual Answer<std::size_t> countAll() = 0;
    /// The same as of the last sweep, with what was opened here since; asks nobody.
    [[nodiscard]] virtual std::size_t lastCount() const = 0;
    [[nodiscard]] virtual std::size_t mostSessions() const = 0;
    /// The store answered when it was last asked.
    [[nodiscard]] virtual bool isWorking() const = 0;
};

} // namespace vivavoce::broker
