#pragma once

#include "broker/reports/month.h"
#include "broker/usage/amounts.h"
#include "core/base/json.h"
#include "core/usage/price_list.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker::reports {

/// One day of the ledger: who, with what, how much.
struct DayUse {
    std::int64_t day = 0;
    std::string issuer;
    std::string subject;
    std::string provider;
    std::string model;
    bool isDirect = false;
    std::int64_t sessions = 0;
    usage::Amounts amounts;
};

/// What one user came to with one model, of one kind.
struct Line {
    std::string issuer;
    std::string subject;
    std::string provider;
    std::string model;
    /// "textIn", "cachedTextIn", "textOut", "audioIn", "cachedAudioIn", "audioOut", "imageIn", "cachedImageIn": tokens. "connection":
    /// milliseconds. "other": responses whose cost the provider did not say; transcription, and whatever else the ledger has beyond the others.
    std::string kind;
    /// "tokens", "ms", "turns".
    std::string unit;
    std::int64_t quantity = 0;
    std::int64_t nanoDollars = 0;
};

/// What a project came to in a month.
/// Invariant: the lines' money is the ledger's, to the last billionth of a dollar.
struct Statement {
    std::string project;
    std::vector<Line> lines;
    std::int64_t sessions = 0;
    std::int64_t connectedMs = 0;
    std::int64_t turns = 0;
    std::int64_t unpricedTurns = 0;
    std::int64_t nanoDollars = 0;
    /// How much of it only clients have told of.
    std::int64_t reportedNanoDollars = 0;
};

/// What a user came to with a model, while that is summed up.
struct BilledGroup {
    static constexpr std::size_t kKinds = 9;
    DayUse whose;
    std::array<std::int64_t, kKinds> quantities{};
    std::array<std::int64_t, kKinds> costs{};
    std::int64_t unpriced = 0;
    std::int64_t nanoDollars = 0;
};

/// Makes a project's statement of its days, of each user and model together: users in one piece, models in one piece within them.
/// What tokens and minutes cost by the day's price is their line's; what the ledger has beyond that is "other". Where prices were changed
/// afterwards and come to more than the ledger has, the ledger's money is shared out among the lines as the prices say, the last billionths to
/// the largest remainders. Pure, but for what it has been told.
class StatementMaker {
public:
    StatementMaker(std::string project, const core::PriceList& prices);

    void add(const DayUse& use);
    [[nodiscard]] Statement finish();
    /// So far; without those of whoever was added last.
    [[nodiscard]] std::size_t lines() const { return m_statement.lines.size(); }

private:
    void close();

    const core::PriceList& m_prices;
    Statement m_statement;
    std::optional<BilledGroup> m_group;
};

/// {"project", "sessions", "connectedMs", "turns", "unpricedTurns", "nanoDollars", "reportedNanoDollars", "lines": […]}
[[nodiscard]] core::Json writeJson(const Statement& statement);

/// "0.001234567": dollars, all nine digits.
[[nodiscard]] std::string dollarsOf(std::int64_t nanoDollars);

} // namespace vivavoce::broker::reports
