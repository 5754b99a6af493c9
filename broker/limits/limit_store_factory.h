#pragma once

#include "broker/limits/limit_store.h"
#include "broker/limits/memory_limit_store.h"
#include "broker/limits/redis_limit_store.h"

#include <memory>
#include <optional>

namespace vivavoce::broker {

/// What becomes of requests while the shared store is away.
enum class OutagePolicy {
    /// They are refused: 503 `unavailable`.
    FailClosed,
    /// Each broker limits by itself.
    DegradeToMemory,
};

struct LimitStoreSettings {
    MemoryLimitStore::Sizes memory{};
    /// Nothing: the limits are this process' own.
    std::optional<RedisLimitStore::Settings> redis;
    OutagePolicy outage = OutagePolicy::FailClosed;
};

/// The store that the settings ask for. BadConfiguration as RedisLimitStore::create says.
[[nodiscard]] core::Expected<std::unique_ptr<LimitStore>, core::Error> makeLimitStore(
    LimitStoreSettings settings, const core::Clock& clock, Log& log);

} // namespace vivavoce::broker
