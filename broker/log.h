#pragma once

#include <nlohmann/json_fwd.hpp>

#include <atomic>
#include <memory>
#include <string_view>

namespace vivavoce::broker {

enum class LogLevel { Error, Warning, Info, Debug };

/// Port: where the broker tells what it does. Events are dotted lower-case names; fields never hold a secret, a query string or
/// a caller's text. [any thread]
class Log {
public:
    virtual ~Log() = default;
    virtual void write(LogLevel level, std::string_view event, const nlohmann::json& fields) = 0;
};

/// One JSON object a line on standard error: `time` (RFC 3339), `level`, `event`, and the fields. `atMost` may change and outlives it.
[[nodiscard]] std::unique_ptr<Log> makeStderrLog(const std::atomic<LogLevel>& atMost);

} // namespace vivavoce::broker
