#pragma once

#include "broker/fault.h"
#include "broker/limits/charge.h"
#include "broker/limits/limit_store.h"
#include "broker/limits/sliding_window.h"
#include "broker/log.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker {

/// What is asked for; each door has its bucket.
enum class Door { Mint, Session, Refresh, Report };

/// Whose quota a bucket is.
enum class QuotaOf {
    User,
    /// For callers who share one identity: each address has its own quota.
    UserAndAddress,
};

/// A bucket as it is configured; `blockDuration` and `suspiciousActivityThreshold` are its penalty.
struct DoorSettings {
    Bucket bucket;
    QuotaOf quotaOf = QuotaOf::User;
};

/// One request of an authenticated caller.
struct Visit {
    Door door = Door::Mint;
    /// Issuer and subject, or whatever tells users apart for good.
    std::string user;
    /// The client's address: of the connection, or what a trusted proxy says.
    std::string address;
    /// With a refresh: the session, which then has the quota to itself.
    std::string sessionId;
    /// Sessions that the user has now; with a mint or a new session.
    std::size_t openSessions = 0;
};

/// May it go on, and what the answer says of the limits in either case.
struct Admission {
    /// RateLimited, Blocked, TooManySessions or Unavailable, with `retryAfter` and the violated policy. Nothing: go on.
    std::optional<Fault> fault;
    /// For RateLimit and RateLimit-Policy. Nothing: no limit was asked.
    std::optional<Charge> charge;
    /// Of admitAddress and admitCredential, for giving it back.
    SlidingWindow::Ticket ticket{};
};

/// A block begins; for the audit.
struct BlockEvent {
    std::string user;
    /// Where the request came from, how often in a row, how long.
    std::string bucket;
    std::string address;
    int level = 0;
    core::Milliseconds length{0};
};

/// Who may come in how often: a wide guard by address before anybody is authenticated, then the user's buckets, blocks and sessions.
/// The guard counts only those who did not prove who they are, and blocks are of users, so that nobody is locked out by another one
/// behind the same address. A second one, by credential, counts what the buckets do not. Both are this process' own: strangers cost the
/// shared store nothing, and what ends sessions does not wait for it.
/// Threads: [any thread]; coroutines on the caller's executor.
class Gatekeeper {
public:
    struct Settings {
        DoorSettings mint{{"mint", 10, core::Milliseconds{60'000}, {}}, QuotaOf::User};
        DoorSettings session{{"session", 10, core::Milliseconds{60'000}, {}}, QuotaOf::User};
        DoorSettings refresh{{"refresh", 60, core::Milliseconds{60'000}, {}}, QuotaOf::User};
        /// Of a user's reports of usage, too many of which block nobody: they open nothing.
        DoorSettings report{{"report", 60, core::Milliseconds{60'000}, {0}}, QuotaOf::User};
        /// By IPv4 address or IPv6 /64.
        SlidingWindow::Policy address{
            300, core::Milliseconds{60'000}, 100'000, SlidingWindow::WhenFull::AdmitUncounted};
        /// By what a known caller bears: the requests that none of the buckets counts, and those that one refused.
        SlidingWindow::Policy credential{
            120, core::Milliseconds{60'000}, 100'000, SlidingWindow::WhenFull::AdmitUncounted};
        std::size_t maxSessionsPerUser = 5;
        /// Retry-After while the user has too many sessions.
        core::Milliseconds sessionsRetryAfter{60'000};
        /// Retry-After while the store is away.
        core::Milliseconds outageRetryAfter{5'000};
    };
    struct Dependencies {
        LimitStore& store;
        const core::Clock& clock;
        Log& log;
        /// Told of blocks without any lock held, on the thread of whoever asked; of several brokers, one alone tells. May be empty.
        std::function<void(const BlockEvent&)> onBlock;
    };

    Gatekeeper(Settings settings, Dependencies dependencies);

    /// Holds for what comes from now on; nothing that was counted is forgotten.
    void reconfigure(Settings settings);

    /// Counts a request before its credentials are looked at.
    [[nodiscard]] Admission admitAddress(const std::string& address);
    /// The request that admitAddress() counted has good credentials: it is not counted there any more.
    void authenticated(const std::string& address, const SlidingWindow::Ticket& ticket);
    /// Counts a request by its credential before that is looked at: an issuer is not asked about a caller without end.
    [[nodiscard]] Admission admitCredential(std::string_view credential);
    /// The request that admitCredential() counted is nobody's that we know, or a bucket has counted and admitted it.
    void countedElsewhere(std::string_view credential, const SlidingWindow::Ticket& ticket);
    /// Counts a request of a user.
    [[nodiscard]] net::Awaitable<Admission> admit(Visit visit);

    /// How it stands with a user's buckets; nothing is counted.
    struct Standing {
        std::vector<Charge> buckets;
        /// Until the user's block ends; zero: there is none.
        std::chrono::seconds blockedFor{0};
    };
    [[nodiscard]] net::Awaitable<core::Expected<Standing, StoreDown>> look(Visit visit);

    [[nodiscard]] net::Awaitable<core::Expected<std::vector<Block>, StoreDown>> blocks(std::size_t atMost);
    /// Forgives a user. Answers whether a block was lifted. Whoever asks for it tells the audit, before.
    [[nodiscard]] net::Awaitable<core::Expected<bool, StoreDown>> lift(std::string user);
    [[nodiscard]] StoreHealth health() const { return m_deps.store.health(); }

private:
    [[nodiscard]] std::shared_ptr<const Settings> settings() const;

    const Dependencies m_deps;
    mutable std::mutex m_mutex;
    std::shared_ptr<const Settings> m_settings;
    SlidingWindow m_addresses;
    SlidingWindow m_credentials;
};

/// What one caller may command of addresses is one key: an IPv4 address, also where it is mapped into IPv6, or an IPv6 /64.
[[nodiscard]] std::string addressKey(std::string_view address);

} // namespace vivavoce::broker
