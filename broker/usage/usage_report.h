#pragma once

#include "broker/usage/amounts.h"
#include "core/base/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::usage {

/// What one can be told apart by.
enum class Grouping { Day, Project, User, Provider, Model };
/// "day", "project", "user", "provider", "model"; nothing for anything else.
[[nodiscard]] std::optional<Grouping> groupingOf(std::string_view text);
[[nodiscard]] std::string_view textOf(Grouping grouping);

/// Of whom, and when. Days since 1970 in UTC, both counted in.
struct UsageQuery {
    /// Nothing: of all.
    std::optional<std::string> caller;
    std::optional<std::string> project;
    /// Nothing: of all.
    std::optional<std::string> session;
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::int64_t today = 0;
    Grouping by = Grouping::Day;
};

struct UsageRow {
    /// A day as "2026-11-23", or a name.
    std::string key;
    std::int64_t sessions = 0;
    /// Those through the relay, and their time.
    std::int64_t relayed = 0;
    std::int64_t relayedMs = 0;
    /// How much of the money only clients have told of.
    std::int64_t reportedNanoDollars = 0;
    Amounts amounts;
};

struct UsageReport {
    UsageQuery query;
    UsageRow total;
    UsageRow today;
    /// The ones with the most time first.
    std::vector<UsageRow> topProjects;
    std::vector<UsageRow> rows;
    /// There were more rows than are here.
    bool isCut = false;
};

/// What a spreadsheet would take for a formula begins with an apostrophe; what needs quotation marks has them (RFC 4180).
[[nodiscard]] std::string csvField(std::string text);

/// "2026-11-23", and back; nothing for what is no date.
[[nodiscard]] std::string dateOf(std::int64_t day);
[[nodiscard]] std::optional<std::int64_t> dayOfDate(std::string_view text);

/// {"textIn": 0, …}: tokens by kind.
[[nodiscard]] core::Json tokensJson(const Amounts& amounts);
/// docs/protocol.md, "Usage".
[[nodiscard]] core::Json writeJson(const UsageReport& report);
/// RFC 4180 with a header line. What a spreadsheet would take for a formula begins with an apostrophe.
[[nodiscard]] std::string writeCsv(const UsageReport& report);

} // namespace vivavoce::broker::usage
