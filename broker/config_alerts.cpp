#include "broker/config_alerts.h"

#include "broker/config_alert_channels.h"
#include "broker/config_toml.h"

#include <set>
#include <utility>

namespace vivavoce::broker {
namespace {

constexpr Range kPercentRange{1, 100};
constexpr Range kErrorRange{0, 100};
constexpr Range kErrorMinutesRange{1, 60};
constexpr Range kSettleRange{0, 3'600};
constexpr Range kAlertDaysRange{1, 3'650};
constexpr std::size_t kMostThresholds = 20;

} // namespace

Written readAlertKey(std::string_view key, toml::node& node, Config& config)
{
    alerts::AlertSettings& settings = config.alerts;
    if (key == "alerts.error_percent") {
        return readWhole(key, node, kErrorRange, settings.errorPercent);
    }
    if (key == "alerts.error_minutes") {
        return readWhole(key, node, kErrorMinutesRange, settings.errorWindow);
    }
    if (key == "alerts.settle_seconds") {
        return readWhole(key, node, kSettleRange, settings.settle);
    }
    if (key == "alerts.keep_days") {
        return readWhole(key, node, kAlertDaysRange, settings.kept);
    }
    auto* list = node.as_array();
    if (list == nullptr || list->size() > kMostThresholds) {
        return badConfig(key, "has to be a list of percents from 1 to 100");
    }
    std::set<int> thresholds;
    for (auto& item : *list) {
        int percent = 0;
        if (!readWhole(key, item, kPercentRange, percent)) {
            return badConfig(key, "has to be a list of percents from 1 to 100");
        }
        thresholds.insert(percent);
    }
    settings.thresholds.assign(thresholds.begin(), thresholds.end());
    return {};
}

void printAlerts(const Config& config, toml::table& table)
{
    const alerts::AlertSettings& settings = config.alerts;
    toml::array thresholds;
    for (const int percent : settings.thresholds) {
        thresholds.push_back(static_cast<std::int64_t>(percent));
    }
    const auto whole = [](auto value) { return static_cast<std::int64_t>(value); };
    toml::table printed{{"budget_thresholds", std::move(thresholds)}, {"error_percent", whole(settings.errorPercent)},
        {"error_minutes", whole(settings.errorWindow.count())}, {"settle_seconds", whole(settings.settle.count())},
        {"keep_days", whole(settings.kept.count())}};
    toml::array channels = alertChannelsOf(config);
    if (!channels.empty()) {
        printed.insert("channels", std::move(channels));
    }
    table.insert("alerts", std::move(printed));
}

} // namespace vivavoce::broker
