#include "broker/alerts/alert.h"

#include "broker/alerts/budget_alerts.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace vivavoce::broker::alerts {
namespace {

constexpr std::array<std::string_view, kAlertKinds> kTexts{"budget.threshold", "subject.block", "provider.down",
    "provider.up", "audit.failing", "audit.recovered", "errors.high", "errors.normal"};

core::Json dataOf(const Alert& alert)
{
    auto data = core::parseJson(alert.data);
    return data && data->is_object() ? std::move(*data) : core::Json::object();
}

/// A figure of a budget as people write it; nothing: it is none.
std::optional<std::string> amountOf(std::string_view unit, const core::Json& value)
{
    if (!value.is_number_integer()) {
        return std::nullopt;
    }
    const auto amount = value.get<std::int64_t>();
    if (unit == kMoneyUnit) {
        return dollarText(amount);
    }
    return unit == kTimeUnit ? std::optional(minuteText(amount)) : std::nullopt;
}

} // namespace

const std::array<AlertKind, kAlertKinds>& allAlertKinds()
{
    static const auto all = [] {
        std::array<AlertKind, kAlertKinds> kinds{};
        for (std::size_t i = 0; i < kAlertKinds; ++i) {
            kinds[i] = static_cast<AlertKind>(i);
        }
        return kinds;
    }();
    return all;
}

std::string_view textOf(AlertKind kind)
{
    return kTexts[static_cast<std::size_t>(kind)];
}

std::optional<AlertKind> alertKindOf(std::string_view text)
{
    const auto* const found = std::find(kTexts.begin(), kTexts.end(), text);
    return found == kTexts.end() ? std::nullopt : std::optional(static_cast<AlertKind>(found - kTexts.begin()));
}

std::string_view textOf(Severity severity)
{
    switch (severity) {
    case Severity::Info:
        return "info";
    case Severity::Warning:
        return "warning";
    case Severity::Critical:
        return "critical";
    }
    return "critical";
}

std::vector<std::pair<std::string, std::string>> linesOf(const Alert& alert)
{
    std::vector<std::pair<std::string, std::string>> lines;
    const core::Json data = dataOf(alert);
    const auto unit = data.find("unit");
    const std::string of = unit != data.end() && unit->is_string() ? unit->get<std::string>() : std::string();
    const bool isBudget = of == kMoneyUnit || of == kTimeUnit;
    for (const auto& [name, value] : data.items()) {
        std::string text = value.is_string() ? value.get<std::string>() : core::writeJson(value);
        if (isBudget && (name == "limit" || name == "spent")) {
            text = amountOf(of, value).value_or(std::move(text));
        } else if (isBudget && name == "threshold") {
            text += " %";
        }
        // The unit is with each figure.
        if (!isBudget || name != "unit") {
            lines.emplace_back(name, std::move(text));
        }
    }
    return lines;
}

core::Json jsonOf(const Alert& alert)
{
    return {{"type", textOf(alert.kind)}, {"timestamp", core::formatRfc3339(alert.at)}, {"id", alert.id},
        {"severity", textOf(alert.severity)}, {"title", alert.title}, {"broker", alert.broker},
        {"data", dataOf(alert)}};
}

} // namespace vivavoce::broker::alerts
