#pragma once

#include "broker/limits/limit_store.h"
#include "broker/limits/penalty_book.h"
#include "broker/limits/sliding_window.h"
#include "core/base/clock.h"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace vivavoce::broker {

/// The limits of this process alone, gone with it; follows monotonic time. Answers at once.
/// Invariant: at most `maxKeysPerBucket` quotas a bucket; when all are in use a new one is refused. See PenaltyBook for the rest.
/// Threads: [any thread]; locks for memory operations only.
class MemoryLimitStore final : public LimitStore {
public:
    struct Sizes {
        /// A key costs about 100 bytes, and 8 more for each request over three in its window.
        std::size_t maxKeysPerBucket = 300'000;
        std::size_t maxOffenders = 50'000;
    };

    MemoryLimitStore(Sizes sizes, const core::Clock& clock)
        : m_sizes(sizes), m_clock(clock), m_penalties(sizes.maxOffenders, clock)
    {
    }

    [[nodiscard]] net::Awaitable<core::Expected<Decision, StoreDown>> take(
        const Bucket& bucket, LimitSubject subject) override;
    [[nodiscard]] net::Awaitable<core::Expected<std::vector<Block>, StoreDown>> blocks(std::size_t atMost) override;
    [[nodiscard]] net::Awaitable<core::Expected<bool, StoreDown>> lift(std::string offender) override;
    [[nodiscard]] StoreHealth health() const override { return StoreHealth::Ok; }

    [[nodiscard]] net::Awaitable<core::Expected<Decision, StoreDown>> look(
        const Bucket& bucket, LimitSubject subject) override;
    /// What take() answers, without a coroutine around it.
    [[nodiscard]] Decision decide(const Bucket& bucket, const LimitSubject& subject);

private:
    /// One for each bucket name; the first bucket of a name says how it is limited.
    [[nodiscard]] SlidingWindow& windowOf(const Bucket& bucket);

    const Sizes m_sizes;
    const core::Clock& m_clock;
    PenaltyBook m_penalties;
    std::mutex m_mutex;
    std::map<std::string, std::unique_ptr<SlidingWindow>> m_windows;
};

} // namespace vivavoce::broker
