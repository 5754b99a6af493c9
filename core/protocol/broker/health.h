#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::core::broker {

struct HealthMetrics {
    std::int64_t totalRequests = 0;
    std::int64_t activeSessions = 0;
    std::int64_t totalRefreshes = 0;
    /// 0 to 1: answers of 5xx among all.
    double errorRate = 0;
    /// Milliseconds.
    double averageResponseTime = 0;
};

struct HealthResources {
    std::int64_t uptimeSeconds = 0;
    /// Resident set; nothing where the platform does not tell it.
    std::optional<std::int64_t> memoryBytes;
    std::int64_t connections = 0;
};

/// What only an admin is told.
struct HealthDetail {
    /// Status by service name: "unknown" until first used, "ok", or "failing".
    std::map<std::string, std::string> services;
    HealthMetrics metrics;
    HealthResources resources;
};

/// GET /api/voice-agent/health. Pure. [any thread]
struct Health {
    /// "ok" or "degraded".
    std::string status = "ok";
    std::optional<HealthDetail> detail;
};

[[nodiscard]] std::string encode(const Health& health);
/// Lenient about unknown fields; BrokerMalformed names the field at fault.
[[nodiscard]] Expected<Health, Error> decodeHealth(std::string_view text);

} // namespace vivavoce::core::broker
