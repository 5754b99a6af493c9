#pragma once

#include "broker/limits/redis_address.h"
#include "core/base/expected.h"

#include <string>

struct redisContext;

namespace vivavoce::broker {

/// Puts TLS 1.2 or newer on a fresh connection; the certificate has to be for the host of the address.
/// [the connection's own thread] Blocks for at most the connection's time limit.
[[nodiscard]] core::Expected<void, std::string> startTls(redisContext& context, const RedisAddress& address);

} // namespace vivavoce::broker
