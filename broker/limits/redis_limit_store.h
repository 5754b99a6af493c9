#pragma once

#include "broker/limits/limit_store.h"
#include "broker/limits/redis_address.h"
#include "broker/log.h"
#include "core/base/error.h"
#include "core/base/secret.h"

#include <memory>
#include <string>

namespace vivavoce::broker {

/// The limits of all brokers that use the same Redis with the same key: one script a decision, by Redis' own clock.
/// Says StoreDown at once while Redis is known to be away, and within the deadline in any case; comes back by itself.
/// Invariant: callers' names are in Redis as pseudonyms and sealed, never as they are; every key expires.
/// Threads: [any thread]. What blocks does so on a thread of its own; the queue before it is bounded. Must outlive its io_context's
/// threads, not the context itself.
class RedisLimitStore : public LimitStore {
public:
    struct Settings {
        RedisAddress address;
        /// The same for all brokers, 32 bytes or more: pseudonyms of callers are made with it.
        core::Secret key;
        /// What it was before, if anything: blocks from then go on. Windows begin anew.
        core::Secret formerKey{};
        /// All keys begin with it, so that others can use the same Redis.
        std::string prefix = "vivavoce:limits:";
        /// After so long a decision is StoreDown.
        core::Milliseconds deadline{500};
        /// Pauses between attempts to connect grow up to this.
        core::Milliseconds longestPause{2'000};
        std::size_t maxQueued = 4'096;
    };

    /// BadConfiguration: the key is too short. Redis need not be there yet.
    [[nodiscard]] static core::Expected<std::unique_ptr<RedisLimitStore>, core::Error> create(
        Settings settings, Log& log);
};

} // namespace vivavoce::broker
