#include "broker/limits/degrading_limit_store.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker {

net::Awaitable<core::Expected<Decision, StoreDown>> DegradingLimitStore::take(
    const Bucket& bucket, LimitSubject subject)
{
    auto shared = co_await m_shared->take(bucket, subject);
    noteDegraded(!shared);
    if (shared) {
        co_return shared;
    }
    co_return m_own.decide(bucket, subject);
}

net::Awaitable<core::Expected<Decision, StoreDown>> DegradingLimitStore::look(
    const Bucket& bucket, LimitSubject subject)
{
    auto shared = co_await m_shared->look(bucket, subject);
    if (shared) {
        co_return shared;
    }
    auto own = co_await m_own.look(bucket, std::move(subject));
    co_return own;
}

net::Awaitable<core::Expected<std::vector<Block>, StoreDown>> DegradingLimitStore::blocks(std::size_t atMost)
{
    auto result = co_await m_own.blocks(atMost);
    auto shared = co_await m_shared->blocks(atMost);
    if (shared) {
        // Whoever is blocked in both places is told once, with the block that binds.
        std::erase_if(*result, [&](const Block& own) {
            return std::any_of(
                shared->begin(), shared->end(), [&](const Block& other) { return other.offender == own.offender; });
        });
        result->insert(result->end(), shared->begin(), shared->end());
        std::sort(result->begin(), result->end(), [](const Block& a, const Block& b) { return a.left < b.left; });
        result->resize(std::min(result->size(), atMost));
    }
    co_return result;
}

net::Awaitable<core::Expected<bool, StoreDown>> DegradingLimitStore::lift(std::string offender)
{
    auto own = co_await m_own.lift(offender);
    auto shared = co_await m_shared->lift(offender);
    if (!shared) {
        co_return shared;
    }
    co_return *own || *shared;
}

StoreHealth DegradingLimitStore::health() const
{
    return m_shared->health() == StoreHealth::Down ? StoreHealth::Degraded : m_shared->health();
}

void DegradingLimitStore::noteDegraded(bool isDegraded)
{
    if (m_isDegraded.exchange(isDegraded) != isDegraded) {
        m_log.write(isDegraded ? LogLevel::Warning : LogLevel::Info,
            isDegraded ? "limits.degraded" : "limits.shared_again", nlohmann::json::object());
    }
}

} // namespace vivavoce::broker
