#include "broker/reports/statement.h"

#include "broker/usage/usage_report.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <utility>

namespace vivavoce::broker::reports {
namespace {

using usage::Measure;
__extension__ using Wide = __int128;

struct Kind {
    const char* name;
    const char* unit;
    Measure measure;
    std::int64_t core::PriceRow::*price;
};
constexpr std::size_t kKinds = BilledGroup::kKinds;
constexpr std::array kAll{Kind{"textIn", "tokens", Measure::TextIn, &core::PriceRow::textIn},
    Kind{"cachedTextIn", "tokens", Measure::CachedTextIn, &core::PriceRow::cachedTextIn},
    Kind{"textOut", "tokens", Measure::TextOut, &core::PriceRow::textOut},
    Kind{"audioIn", "tokens", Measure::AudioIn, &core::PriceRow::audioIn},
    Kind{"cachedAudioIn", "tokens", Measure::CachedAudioIn, &core::PriceRow::cachedAudioIn},
    Kind{"audioOut", "tokens", Measure::AudioOut, &core::PriceRow::audioOut},
    Kind{"imageIn", "tokens", Measure::ImageIn, &core::PriceRow::imageIn},
    Kind{"cachedImageIn", "tokens", Measure::CachedImageIn, &core::PriceRow::cachedImageIn},
    Kind{"connection", "ms", Measure::ConnectedMs, &core::PriceRow::minute}};

/// So that sums stay far from the end of what fits, whatever a ledger may hold.
constexpr std::int64_t kDearest = 1'000'000'000'000'000'000;

std::int64_t costOf(const Kind& kind, const core::PriceRow& price, std::int64_t quantity)
{
    constexpr std::int64_t kMinute = 60'000;
    const Wide cost = kind.measure == Measure::ConnectedMs ? static_cast<Wide>(quantity) * price.minute / kMinute
                                                           : static_cast<Wide>(quantity) * (price.*kind.price);
    return static_cast<std::int64_t>(std::clamp<Wide>(cost, 0, kDearest));
}

bool areOfOne(const DayUse& a, const DayUse& b)
{
    return a.issuer == b.issuer && a.subject == b.subject && a.provider == b.provider && a.model == b.model;
}

/// Shares `total` out in proportion to `costs`, which come to more: whole billionths, and the rest to those that lost most by that.
template <std::size_t Size>
void shareOut(std::int64_t total, std::array<std::int64_t, Size>& costs)
{
    const Wide sum = std::accumulate(costs.begin(), costs.end(), Wide{0});
    std::array<std::pair<Wide, std::size_t>, Size> remainders{};
    std::int64_t left = total;
    for (std::size_t i = 0; i < Size; ++i) {
        const Wide share = static_cast<Wide>(costs[i]) * total;
        // The largest first; of the same, the first kind.
        remainders[i] = {-(share % sum), i};
        costs[i] = static_cast<std::int64_t>(share / sum);
        left -= costs[i];
    }
    std::sort(remainders.begin(), remainders.end());
    for (std::size_t i = 0; left > 0; ++i, --left) {
        ++costs[remainders[i].second];
    }
}

} // namespace

StatementMaker::StatementMaker(std::string project, const core::PriceList& prices) : m_prices(prices)
{
    static_assert(kAll.size() == kKinds);
    m_statement.project = std::move(project);
}

void StatementMaker::add(const DayUse& use)
{
    if (m_group && !areOfOne(m_group->whose, use)) {
        close();
    }
    if (!m_group) {
        m_group.emplace();
        m_group->whose = use;
    }
    const core::PriceRow* const price = m_prices.find(use.model, usage::dateOf(use.day));
    for (std::size_t i = 0; i < kKinds; ++i) {
        const std::int64_t quantity = use.amounts[kAll[i].measure];
        if (price != nullptr && quantity > 0) {
            m_group->costs[i] = std::min(m_group->costs[i] + costOf(kAll[i], *price, quantity), kDearest);
        }
        // Time that costs nothing is no line.
        const bool isBilled = kAll[i].measure != Measure::ConnectedMs || (price != nullptr && price->minute > 0);
        m_group->quantities[i] += isBilled ? quantity : 0;
    }
    const std::int64_t nanoDollars = use.amounts[Measure::NanoDollars];
    m_group->unpriced += use.amounts[Measure::Unpriced];
    m_group->nanoDollars += nanoDollars;
    m_statement.sessions += use.sessions;
    m_statement.connectedMs += use.amounts[Measure::ConnectedMs];
    m_statement.turns += use.amounts[Measure::Turns];
    m_statement.unpricedTurns += use.amounts[Measure::Unpriced];
    m_statement.nanoDollars += nanoDollars;
    m_statement.reportedNanoDollars += use.isDirect ? nanoDollars : 0;
}

void StatementMaker::close()
{
    BilledGroup& group = *m_group;
    const Wide byPrice = std::accumulate(group.costs.begin(), group.costs.end(), Wide{0});
    std::int64_t other = 0;
    if (byPrice > group.nanoDollars) {
        shareOut(group.nanoDollars, group.costs);
    } else {
        other = static_cast<std::int64_t>(group.nanoDollars - byPrice);
    }
    Line line{group.whose.issuer, group.whose.subject, group.whose.provider, group.whose.model, {}, {}, 0, 0};
    for (std::size_t i = 0; i < kKinds; ++i) {
        if (group.quantities[i] == 0 && group.costs[i] == 0) {
            continue;
        }
        line.kind = kAll[i].name;
        line.unit = kAll[i].unit;
        line.quantity = group.quantities[i];
        line.nanoDollars = group.costs[i];
        m_statement.lines.push_back(line);
    }
    if (other != 0 || group.unpriced != 0) {
        line.kind = "other";
        line.unit = "turns";
        line.quantity = group.unpriced;
        line.nanoDollars = other;
        m_statement.lines.push_back(line);
    }
    m_group.reset();
}

Statement StatementMaker::finish()
{
    if (m_group) {
        close();
    }
    return std::move(m_statement);
}

core::Json writeJson(const Statement& statement)
{
    core::Json lines = core::Json::array();
    for (const Line& line : statement.lines) {
        lines.push_back({{"issuer", line.issuer}, {"user", line.subject}, {"provider", line.provider},
            {"model", line.model}, {"kind", line.kind}, {"unit", line.unit}, {"quantity", line.quantity},
            {"nanoDollars", line.nanoDollars}});
    }
    return {{"project", statement.project}, {"sessions", statement.sessions}, {"connectedMs", statement.connectedMs},
        {"turns", statement.turns}, {"unpricedTurns", statement.unpricedTurns}, {"nanoDollars", statement.nanoDollars},
        {"reportedNanoDollars", statement.reportedNanoDollars}, {"lines", std::move(lines)}};
}

std::string dollarsOf(std::int64_t nanoDollars)
{
    constexpr std::int64_t kNano = 1'000'000'000;
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%s%lld.%09lld", nanoDollars < 0 ? "-" : "",
        static_cast<long long>(std::abs(nanoDollars / kNano)), static_cast<long long>(std::abs(nanoDollars % kNano)));
    return text.data();
}

} // namespace vivavoce::broker::reports
