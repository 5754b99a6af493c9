#include "broker/usage/usage_report.h"

#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <utility>

namespace vivavoce::broker::usage {
namespace {

using core::Json;

constexpr std::array<std::pair<Grouping, std::string_view>, 5> kGroupings{
    {{Grouping::Day, "day"}, {Grouping::Project, "project"}, {Grouping::User, "user"}, {Grouping::Provider, "provider"},
        {Grouping::Model, "model"}}};

/// What is billed, by the names that clients know.
constexpr std::array<std::pair<const char*, Measure>, 10> kCounts{
    {{"textIn", Measure::TextIn}, {"cachedTextIn", Measure::CachedTextIn}, {"textOut", Measure::TextOut},
        {"audioIn", Measure::AudioIn}, {"cachedAudioIn", Measure::CachedAudioIn}, {"audioOut", Measure::AudioOut},
        {"imageIn", Measure::ImageIn}, {"cachedImageIn", Measure::CachedImageIn},
        {"transcription", Measure::TranscriptionTokens}, {"unpriced", Measure::Unpriced}}};

double minutesOf(const UsageRow& row)
{
    return static_cast<double>(row.amounts[Measure::ConnectedMs]) / 60'000;
}

double reportedDollars(const UsageRow& row)
{
    return static_cast<double>(row.reportedNanoDollars) / 1e9;
}

double dollarsOf(const UsageRow& row)
{
    return static_cast<double>(row.amounts[Measure::NanoDollars]) / 1e9;
}

double audioMinutes(const UsageRow& row, Measure measure)
{
    return static_cast<double>(row.amounts[measure]) / 60'000;
}

Json rowJson(const UsageRow& row, std::string_view key)
{
    return {{std::string(key), row.key}, {"sessions", row.sessions}, {"minutes", minutesOf(row)},
        {"cost", dollarsOf(row)}, {"costReported", reportedDollars(row)},
        {"audioMinutesIn", audioMinutes(row, Measure::AudioInMs)},
        {"audioMinutesOut", audioMinutes(row, Measure::AudioOutMs)}, {"turns", row.amounts[Measure::Turns]},
        {"toolCalls", row.amounts[Measure::ToolCalls]}, {"tokens", tokensJson(row.amounts)},
        {"unpricedTurns", row.amounts[Measure::Unpriced]}};
}

std::string decimal(double value, int places)
{
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f", places, value);
    return text.data();
}

} // namespace

std::string csvField(std::string text)
{
    constexpr std::string_view kFormula = "=+-@\t\r";
    if (!text.empty() && kFormula.find(text.front()) != std::string_view::npos) {
        text.insert(text.begin(), '\'');
    }
    if (text.find_first_of(",\"\r\n") == std::string::npos) {
        return text;
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    }
    return quoted + '"';
}

std::optional<Grouping> groupingOf(std::string_view text)
{
    const auto* const found =
        std::find_if(kGroupings.begin(), kGroupings.end(), [&](const auto& one) { return one.second == text; });
    return found == kGroupings.end() ? std::nullopt : std::optional(found->first);
}

std::string_view textOf(Grouping grouping)
{
    return kGroupings[static_cast<std::size_t>(grouping)].second;
}

std::string dateOf(std::int64_t day)
{
    const core::WallTime time{std::chrono::sys_days{std::chrono::days{day}}};
    return core::formatRfc3339(time).substr(0, std::string_view("2026-11-23").size());
}

std::optional<std::int64_t> dayOfDate(std::string_view text)
{
    const auto time = core::parseRfc3339(std::string(text) + "T00:00:00Z");
    if (!time) {
        return std::nullopt;
    }
    return std::chrono::floor<std::chrono::days>(*time).time_since_epoch().count();
}

Json tokensJson(const Amounts& amounts)
{
    Json tokens = Json::object();
    for (const auto& [name, measure] : kCounts) {
        if (measure != Measure::Unpriced) {
            tokens[name] = amounts[measure];
        }
    }
    return tokens;
}

Json writeJson(const UsageReport& report)
{
    const auto relayed = static_cast<double>(report.total.relayed);
    const auto relayedMinutes = static_cast<double>(report.total.relayedMs) / 60'000;
    Json top = Json::array();
    for (const UsageRow& project : report.topProjects) {
        top.push_back({{"projectId", project.key}, {"sessions", project.sessions}, {"minutes", minutesOf(project)}});
    }
    Json rows = Json::array();
    for (const UsageRow& row : report.rows) {
        rows.push_back(rowJson(row, textOf(report.query.by)));
    }
    Json json = rowJson(report.total, "total");
    json.erase("total");
    json.erase("sessions");
    json.erase("minutes");
    json.erase("cost");
    json["toolCallsTotal"] = std::move(json["toolCalls"]);
    json.erase("toolCalls");
    json["from"] = dateOf(report.query.from);
    json["to"] = dateOf(report.query.to);
    json["currency"] = "USD";
    json["totalSessions"] = report.total.sessions;
    json["totalMinutes"] = minutesOf(report.total);
    json["totalCost"] = dollarsOf(report.total);
    json["averageSessionDuration"] = relayed > 0 ? relayedMinutes / relayed : 0;
    json["sessionsToday"] = report.today.sessions;
    json["costToday"] = dollarsOf(report.today);
    json["topProjects"] = std::move(top);
    json["by"] = textOf(report.query.by);
    json["rows"] = std::move(rows);
    json["isCut"] = report.isCut;
    return json;
}

std::string writeCsv(const UsageReport& report)
{
    std::string csv(textOf(report.query.by));
    csv += ",sessions,minutes,cost_usd,cost_reported_usd,audio_minutes_in,audio_minutes_out,turns,tool_calls";
    for (const auto& [name, measure] : kCounts) {
        csv += ',' + std::string(columnOf(measure));
    }
    csv += "\r\n";
    for (const UsageRow& row : report.rows) {
        csv += csvField(row.key) + ',' + std::to_string(row.sessions) + ',' + decimal(minutesOf(row), 3) + ','
            + decimal(dollarsOf(row), 9) + ',' + decimal(reportedDollars(row), 9) + ','
            + decimal(audioMinutes(row, Measure::AudioInMs), 3) + ','
            + decimal(audioMinutes(row, Measure::AudioOutMs), 3) + ',' + std::to_string(row.amounts[Measure::Turns])
            + ',' + std::to_string(row.amounts[Measure::ToolCalls]);
        for (const auto& [name, measure] : kCounts) {
            csv += ',' + std::to_string(row.amounts[measure]);
        }
        csv += "\r\n";
    }
    return csv;
}

} // namespace vivavoce::broker::usage
