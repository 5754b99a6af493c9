#pragma once

#include "broker/tokens/session_registry.h"
#include "broker/tokens/token_hasher.h"

#include <deque>
#include <mutex>
#include <unordered_map>

namespace vivavoce::broker {

/// The registry in memory: gone with the process.
/// Invariant: at most `maxSessions` sessions. When full, the session whose token expired longest ago makes room; live ones never do.
/// Threads: [any thread]; one mutex, never held while a flight lands.
class MemorySessionRegistry final : public SessionRegistry {
public:
    struct Limits {
        std::size_t maxSessions = 4096;
        /// How long after its token a session can still be resumed.
        core::Milliseconds resumeWindow{3'600'000};
        /// How long a lost answer can be asked for again.
        core::Milliseconds repeatWindow{5'000};
        /// Spent tokens that a session remembers to notice their reuse; older ones are merely unknown.
        std::size_t maxSpent = 128;
    };

    MemorySessionRegistry(Limits limits, const core::Clock& clock) : m_limits(limits), m_clock(clock) {}

    [[nodiscard]] bool hasRoom() override;
    [[nodiscard]] core::Expected<void, Fault> open(
        SessionRecord record, std::string_view token, core::MonotonicTime expiresAt) override;
    [[nodiscard]] Renewal claimByToken(std::string_view token, const Idempotency& idempotency) override;
    [[nodiscard]] Renewal claimBySession(std::string_view id, std::string_view caller) override;
    [[nodiscard]] bool complete(
        const RenewalLead& lead, std::string_view successor, core::MonotonicTime expiresAt) override;
    void abandon(const RenewalLead& lead, Fault fault) override;
    [[nodiscard]] std::optional<SessionRecord> end(std::string_view id) override;
    [[nodiscard]] std::vector<SessionRecord> endAllOf(std::string_view caller) override;
    [[nodiscard]] std::optional<SessionRecord> find(std::string_view id) const override;
    [[nodiscard]] std::optional<SessionRecord> findByToken(std::string_view token) const override;
    void sweep() override;
    [[nodiscard]] std::size_t active() const override;
    [[nodiscard]] std::size_t activeOf(std::string_view caller) const override;

private:
    /// The answer that may be repeated.
    struct Repeatable {
        TokenHash spent{};
        Idempotency idempotency;
        core::Secret successor;
        core::MonotonicTime until;
    };
    struct Entry {
        SessionRecord record;
        TokenHash token{};
        core::MonotonicTime expiresAt;
        std::deque<TokenHash> spent;
        std::optional<Repeatable> repeatable;
        std::shared_ptr<Flight> flight;
        Idempotency flightIdempotency;
    };
    using Entries = std::unordered_map<std::string, Entry>;

    [[nodiscard]] Renewal claimSpent(Entries::iterator found, const TokenHash& hash, const Idempotency& idempotency);
    void erase(Entries::iterator entry);
    void sweepAt(core::MonotonicTime now);
    [[nodiscard]] bool makeRoom(core::MonotonicTime now);

    const Limits m_limits;
    const core::Clock& m_clock;
    const TokenHasher m_hasher;
    mutable std::mutex m_mutex;
    Entries m_entries;
    /// Session by the hash of its live token and of its spent ones.
    std::unordered_map<TokenHash, std::string, TokenHashBucket> m_byToken;
};

} // namespace vivavoce::broker
