#include "broker/limits/limit_store_factory.h"

#include "broker/limits/degrading_limit_store.h"

#include <utility>

namespace vivavoce::broker {

core::Expected<std::unique_ptr<LimitStore>, core::Error> makeLimitStore(
    LimitStoreSettings settings, const core::Clock& clock, Log& log)
{
    if (!settings.redis) {
        return std::make_unique<MemoryLimitStore>(settings.memory, clock);
    }
    auto redis = RedisLimitStore::create(std::move(*settings.redis), log);
    if (!redis) {
        return core::Unexpected<core::Error>(std::move(redis.error()));
    }
    if (settings.outage == OutagePolicy::DegradeToMemory) {
        return std::make_unique<DegradingLimitStore>(std::move(*redis), settings.memory, clock, log);
    }
    return std::unique_ptr<LimitStore>(std::move(*redis));
}

} // namespace vivavoce::broker
