#include "broker/limits/memory_limit_store.h"

#include <chrono>
#include <utility>

namespace vivavoce::broker {
namespace {

void tell(Decision& decision, const Block& block, bool isNew)
{
    decision.verdict = Decision::Verdict::Blocked;
    decision.remaining = 0;
    decision.secondsToReset = std::chrono::ceil<std::chrono::seconds>(block.left).count();
    decision.isNewBlock = isNew;
    decision.blockLevel = block.level;
    decision.blockLength = block.length;
}

} // namespace

net::Awaitable<core::Expected<Decision, StoreDown>> MemoryLimitStore::take(const Bucket& bucket, LimitSubject subject)
{
    co_return decide(bucket, subject);
}

net::Awaitable<core::Expected<Decision, StoreDown>> MemoryLimitStore::look(const Bucket& bucket, LimitSubject subject)
{
    Decision decision;
    decision.limit = bucket.maxRequests;
    const bool answers = !subject.offender.empty();
    if (const auto block = answers ? m_penalties.blockOf(subject.offender) : std::nullopt) {
        tell(decision, *block, false);
        co_return decision;
    }
    const SlidingWindow::Decision seen = windowOf(bucket).look(subject.quota);
    decision.verdict = seen.isAllowed ? Decision::Verdict::Admitted : Decision::Verdict::OverLimit;
    decision.remaining = seen.remaining;
    decision.secondsToReset = seen.secondsToReset;
    co_return decision;
}

net::Awaitable<core::Expected<std::vector<Block>, StoreDown>> MemoryLimitStore::blocks(std::size_t atMost)
{
    co_return m_penalties.blocks(atMost);
}

net::Awaitable<core::Expected<bool, StoreDown>> MemoryLimitStore::lift(std::string offender)
{
    co_return m_penalties.lift(offender);
}

Decision MemoryLimitStore::decide(const Bucket& bucket, const LimitSubject& subject)
{
    Decision decision;
    decision.limit = bucket.maxRequests;
    const bool answers = !subject.offender.empty();
    if (const auto block = answers ? m_penalties.blockOf(subject.offender) : std::nullopt) {
        tell(decision, *block, false);
        return decision;
    }
    const SlidingWindow::Decision taken = windowOf(bucket).take(subject.quota);
    decision.verdict = taken.isAllowed ? Decision::Verdict::Admitted : Decision::Verdict::OverLimit;
    decision.remaining = taken.remaining;
    decision.secondsToReset = taken.secondsToReset;
    if (answers && taken.isViolation) {
        if (const auto block = m_penalties.violated(bucket, subject.offender)) {
            tell(decision, *block, true);
        }
    }
    return decision;
}

SlidingWindow& MemoryLimitStore::windowOf(const Bucket& bucket)
{
    const std::lock_guard lock(m_mutex);
    auto& window = m_windows[bucket.name];
    if (!window) {
        window = std::make_unique<SlidingWindow>(
            SlidingWindow::Policy{bucket.maxRequests, bucket.window, m_sizes.maxKeysPerBucket}, m_clock);
    } else {
        window->setMaxRequests(bucket.maxRequests);
        window->setWindow(bucket.window);
    }
    return *window;
}

} // namespace vivavoce::broker
