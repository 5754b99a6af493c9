#include "broker/alerts/budget_alerts.h"

#include "broker/auth/caller.h"
#include "broker/usage/usage_report.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace vivavoce::broker::alerts {
namespace {

constexpr int kAll = 100;
constexpr int kMuch = 80;

/// One of the two things that a budget bounds.
struct Measured {
    const char* unit;
    std::int64_t limit;
    std::int64_t spent;
    std::string limitText;
    std::string spentText;
};

/// In whole percent, rounded down; a budget of nothing is spent.
int percentOf(const Measured& measured)
{
    if (measured.limit <= 0) {
        return kAll;
    }
    const long double share =
        static_cast<long double>(measured.spent) * kAll / static_cast<long double>(measured.limit);
    return static_cast<int>(std::min(share, 1'000'000.0L));
}

/// What people call somebody: the name without its issuer.
std::string nameOf(const usage::BudgetStanding& standing, bool isProject)
{
    if (isProject) {
        return standing.who;
    }
    const std::size_t kindEnd = standing.who.find(':');
    const std::size_t lengthEnd = kindEnd == std::string::npos ? kindEnd : standing.who.find(':', kindEnd + 1);
    if (!auth::isCallerKey(standing.who) || lengthEnd == std::string::npos) {
        return standing.who;
    }
    const auto length = static_cast<std::size_t>(std::stoul(standing.who.substr(kindEnd + 1, lengthEnd - kindEnd - 1)));
    return standing.who.substr(std::min(lengthEnd + 1 + length + 1, standing.who.size()));
}

Draft draftOf(const usage::BudgetStanding& standing, const Measured& measured, int threshold)
{
    const bool isProject = standing.period.starts_with("project");
    const bool isDay = standing.period.ends_with("day");
    const bool hasPlace = !isProject && !standing.project.empty();
    const std::string place = hasPlace ? " in project " + standing.project : std::string();
    Draft draft;
    Alert& alert = draft.alert;
    alert.kind = AlertKind::BudgetThreshold;
    alert.severity = threshold >= kAll ? Severity::Critical : threshold >= kMuch ? Severity::Warning : Severity::Info;
    alert.title = std::string("Budget of ") + (isProject ? "project " : "user ") + nameOf(standing, isProject) + place
        + ": "
        + (threshold >= kAll && measured.spent < measured.limit
                ? std::string("what is left does not bear one more turn")
                : std::to_string(threshold) + " % used")
        + " (" + measured.spentText + " of " + measured.limitText + (isDay ? " a day)" : " a month)");
    core::Json data{{"period", standing.period}, {isProject ? "project" : "user", standing.who},
        {"threshold", threshold}, {"unit", measured.unit}, {"limit", measured.limit}, {"spent", measured.spent},
        {"from", usage::dateOf(standing.since)}, {"until", usage::dateOf(standing.until)}};
    if (hasPlace) {
        data["project"] = standing.project;
    }
    alert.data = core::writeJson(data);
    return draft;
}

} // namespace

std::string dollarText(std::int64_t nanoDollars)
{
    constexpr std::int64_t kNanoOfCent = 10'000'000;
    const std::int64_t cents = (nanoDollars + kNanoOfCent / 2) / kNanoOfCent;
    std::array<char, 40> text{};
    std::snprintf(
        text.data(), text.size(), "$%lld.%02d", static_cast<long long>(cents / 100), static_cast<int>(cents % 100));
    return text.data();
}

std::string minuteText(std::int64_t milliseconds)
{
    return std::to_string(milliseconds / 60'000) + " min";
}

void addBudgetDrafts(const usage::BudgetStanding& standing, bool isRefusing, const std::vector<int>& thresholds,
    std::vector<Draft>& drafts)
{
    std::vector<Measured> measures;
    if (standing.budget.nanoDollars) {
        measures.push_back({kMoneyUnit, *standing.budget.nanoDollars, standing.nanoDollars,
            dollarText(*standing.budget.nanoDollars), dollarText(standing.nanoDollars)});
    }
    if (standing.budget.connected) {
        const std::int64_t limit = standing.budget.connected->count();
        measures.push_back(
            {kTimeUnit, limit, standing.connectedMs, minuteText(limit), minuteText(standing.connectedMs)});
    }
    const bool isExhausted = standing.isExhausted || isRefusing;
    // Of a budget of both the one that is further is what ran out.
    const auto furthest = std::max_element(measures.begin(), measures.end(),
        [](const Measured& a, const Measured& b) { return percentOf(a) < percentOf(b); });
    for (auto measured = measures.begin(); measured != measures.end(); ++measured) {
        const int percent =
            isExhausted && measured == furthest ? std::max(percentOf(*measured), kAll) : percentOf(*measured);
        std::vector<std::string> marks;
        int highest = 0;
        for (const int threshold : thresholds) {
            if (percent >= threshold) {
                highest = threshold;
                marks.push_back("budget\n" + standing.period + "\n" + standing.who + "\n"
                    + std::to_string(standing.since) + "\n" + measured->unit + "\n" + std::to_string(measured->limit)
                    + "\n" + std::to_string(threshold));
            }
        }
        if (marks.empty()) {
            continue;
        }
        Draft draft = draftOf(standing, *measured, highest);
        draft.marks = std::move(marks);
        drafts.push_back(std::move(draft));
    }
}

} // namespace vivavoce::broker::alerts
