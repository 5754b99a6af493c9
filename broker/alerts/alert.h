#pragma once

#include "core/base/clock.h"
#include "core/base/json.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vivavoce::broker::alerts {

/// What operators are told of. The text of a kind (`textOf`) is stable: channels choose by it.
enum class AlertKind : std::size_t {
    BudgetThreshold,
    Block,
    ProviderDown,
    ProviderUp,
    AuditFailing,
    AuditRecovered,
    ErrorsHigh,
    ErrorsNormal,
};
inline constexpr std::size_t kAlertKinds = 8;
[[nodiscard]] const std::array<AlertKind, kAlertKinds>& allAlertKinds();
/// "budget.threshold", "subject.block", "provider.down", "provider.up", "audit.failing", "audit.recovered", "errors.high", "errors.normal".
[[nodiscard]] std::string_view textOf(AlertKind kind);
[[nodiscard]] std::optional<AlertKind> alertKindOf(std::string_view text);

enum class Severity { Info, Warning, Critical };
/// "info", "warning", "critical".
[[nodiscard]] std::string_view textOf(Severity severity);

/// One thing that operators want to know. Texts may name users, projects and providers; never a secret.
struct Alert {
    /// "alert_<milliseconds since 1970>_<random>": in the order of time. Made where it is written down.
    std::string id;
    AlertKind kind = AlertKind::Block;
    Severity severity = Severity::Warning;
    /// One line for people.
    std::string title;
    /// The same for programs: a JSON object.
    std::string data = "{}";
    /// Which broker tells it: "host:port".
    std::string broker;
    core::WallTime at{};
};

/// The name and the value of each member of `data`, for channels that show lines of text to people: money as money, and times in minutes.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> linesOf(const Alert& alert);

/// {"type", "timestamp", "id", "severity", "title", "broker", "data"}. Pure.
[[nodiscard]] core::Json jsonOf(const Alert& alert);

} // namespace vivavoce::broker::alerts
