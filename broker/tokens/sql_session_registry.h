#pragma once

#include "broker/store/database.h"
#include "broker/tokens/session_registry.h"

#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vivavoce::broker {

/// The registry in the database, where it survives the process and is common to all brokers on it.
/// A renewal is claimed for some time only, so that a broker that dies half-way keeps nobody out; what this one has claimed and cannot
/// finish it lets go as soon as the database is back.
/// Lifetime: database and clock outlive it.
class SqlSessionRegistry final : public SessionRegistry {
public:
    struct Limits {
        /// Live ones; as many expired ones are kept for resuming.
        std::size_t maxSessions = 4096;
        /// How long after its token a session can still be resumed.
        core::Milliseconds resumeWindow{3'600'000};
        /// How long a lost answer can be asked for again.
        core::Milliseconds repeatWindow{5'000};
        /// For how long a renewal may be under way.
        core::Milliseconds claimWindow{40'000};
        /// How long after that its token is still good for another attempt, although it has run out meanwhile.
        core::Milliseconds claimGrace{30'000};
        /// Spent tokens that a session remembers to notice their reuse; older ones are merely unknown.
        std::size_t maxSpent = 128;
    };

    SqlSessionRegistry(Limits limits, Database& database, const core::Clock& clock);

    /// For a broker that has just begun: what a former run has claimed in a database that no other broker has is nobody's any more.
    void dropFormerClaims();
    /// Holds for renewals from now on.
    void setClaimWindow(core::Milliseconds window) { m_claimWindow = window; }

    [[nodiscard]] bool hasRoom() override;
    [[nodiscard]] net::Awaitable<std::optional<Fault>> open(SessionRecord record, TokenHash token,
        core::WallTime expiresAt, SessionCaps caps, Together together = {}) override;
    [[nodiscard]] net::Awaitable<Renewal> claimByToken(TokenHashes token, Idempotency idempotency) override;
    [[nodiscard]] net::Awaitable<Renewal> claimBySession(
        std::string id, std::string caller, std::string clientInstance, SessionCaps caps) override;
    [[nodiscard]] Answer<bool> complete(RenewalLead lead, Successor successor) override;
    [[nodiscard]] net::Awaitable<> abandon(RenewalLead lead, Fault fault) override;
    void abandonSoon(const RenewalLead& lead, Fault fault) override;
    [[nodiscard]] Answer<std::optional<SessionRecord>> end(std::string id) override;
    [[nodiscard]] Answer<std::vector<SessionRecord>> endAllOf(std::string caller) override;
    [[nodiscard]] Answer<std::vector<SessionRecord>> endAllOfProject(std::string project) override;
    [[nodiscard]] Answer<std::optional<SessionRecord>> find(std::string id) override;
    [[nodiscard]] Answer<std::optional<LiveSession>> liveByToken(TokenHashes token) override;
    [[nodiscard]] Answer<bool> isKnown(TokenHashes token) override;
    [[nodiscard]] Answer<Expiries> expiriesOf(std::vector<std::string> ids) override;
    [[nodiscard]] Answer<std::vector<LiveSession>> liveOf(std::string caller) override;
    [[nodiscard]] Answer<std::size_t> countOf(std::string caller) override;
    [[nodiscard]] net::Awaitable<> sweep() override;
    [[nodiscard]] Answer<std::size_t> countAll() override;
    [[nodiscard]] std::size_t lastCount() const override { return m_live; }
    [[nodiscard]] std::size_t mostSessions() const override { return m_limits.maxSessions; }
    [[nodiscard]] bool isWorking() const override { return m_database.isWorking(); }

private:
    template <typename T>
    [[nodiscard]] Answer<T> ask(std::function<T(Connection&)> work, Database::Undo<T> undo = {});
    /// Gets the name that a claim is to have.
    using ClaimWork = std::function<Renewal(Connection&, const std::string& claim)>;
    class Announcement;
    class Place;
    [[nodiscard]] net::Awaitable<Renewal> claim(ClaimWork work);
    [[nodiscard]] Answer<std::vector<SessionRecord>> endWhere(const char* column, std::string value);
    /// Whether a cap leaves no place for one more; counts under a lock, so that two never both get the last one.
    [[nodiscard]] static bool isFull(Connection& sql, bool isShared, const SessionRecord& record, SessionCaps caps,
        core::WallTime now, core::Milliseconds grace);
    [[nodiscard]] bool isShared() const { return m_database.kind() == Database::Kind::PostgreSql; }
    /// What locks a row until the end of the transaction.
    [[nodiscard]] const char* forUpdate() const;
    /// Whoever was told that it cannot be done now asks again from now on, and is not to be taken for a thief where it was done.
    void repeatFromNow(const std::string& id, const std::string& token);
    /// A claim that may have stayed in the store, and a renewal that may have been stored, while their callers were told otherwise.
    /// Of a session that is not known, it is empty.
    void rememberClaim(const std::string& session, const std::string& claim);
    void rememberUntold(const RenewalLead& lead, const std::string& successor);
    /// A renewal whose caller was told that it is not done.
    struct Untold {
        std::string successor;
        core::WallTime formerExpiresAt;
        core::MonotonicTime since;
    };
    [[nodiscard]] std::optional<Untold> untoldOf(const std::vector<std::string>& tokens);
    /// Lets go of the claims that nobody works on any more.
    [[nodiscard]] net::Awaitable<> dropDeadClaims();
    [[nodiscard]] std::shared_ptr<Flight> flightOf(const std::string& claim);
    void land(const std::string& claim, Flight::Landing landing);

    const Limits m_limits;
    Database& m_database;
    const core::Clock& m_clock;
    /// As of the last sweep, and what was opened since.
    std::atomic<std::size_t> m_live{0};
    std::atomic<std::size_t> m_opening{0};
    std::mutex m_mutex;
    /// The renewals that this broker has under way, by claim.
    std::unordered_map<std::string, std::shared_ptr<Flight>> m_flights;
    std::atomic<core::Milliseconds> m_claimWindow;
    /// Claims to let go of, with their sessions.
    std::vector<std::pair<std::string, std::string>> m_deadClaims;
    /// By the token that it may have spent.
    std::unordered_map<std::string, Untold> m_untold;
};

} // namespace vivavoce::broker
