#pragma once

#include "broker/limits/limit_store.h"
#include "broker/limits/memory_limit_store.h"
#include "broker/log.h"

#include <atomic>
#include <memory>

namespace vivavoce::broker {

/// Decides by the shared store, and by this process' own memory while that one is away: then each broker admits up to the limit.
/// What was decided meanwhile is not carried over: after an outage the shared store goes on with what it knew.
/// Threads: [any thread].
class DegradingLimitStore final : public LimitStore {
public:
    DegradingLimitStore(
        std::unique_ptr<LimitStore> shared, MemoryLimitStore::Sizes sizes, const core::Clock& clock, Log& log)
        : m_shared(std::move(shared)), m_own(sizes, clock), m_log(log)
    {
    }

    [[nodiscard]] net::Awaitable<core::Expected<Decision, StoreDown>> take(
        const Bucket& bucket, LimitSubject subject) override;
    [[nodiscard]] net::Awaitable<core::Expected<Decision, StoreDown>> look(
        const Bucket& bucket, LimitSubject subject) override;
    /// Those of the shared store and those of this process' memory.
    [[nodiscard]] net::Awaitable<core::Expected<std::vector<Block>, StoreDown>> blocks(std::size_t atMost) override;
    /// In both places. StoreDown: the shared store is away, where the block may go on.
    [[nodiscard]] net::Awaitable<core::Expected<bool, StoreDown>> lift(std::string offender) override;
    [[nodiscard]] StoreHealth health() const override;

private:
    void noteDegraded(bool isDegraded);

    const std::unique_ptr<LimitStore> m_shared;
    MemoryLimitStore m_own;
    Log& m_log;
    std::atomic<bool> m_isDegraded{false};
};

} // namespace vivavoce::broker
