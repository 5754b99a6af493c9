#include "broker/usage/rate_card.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

namespace vivavoce::broker::usage {
namespace {

constexpr std::int64_t kNanoOfCent = 10'000'000;
constexpr std::size_t kLongestFile = 4 * 1024 * 1024;

bool isMoneyBounded(const Budgets& budgets)
{
    const std::array all{budgets.userDay, budgets.userMonth, budgets.projectDay, budgets.projectMonth};
    return std::any_of(all.begin(), all.end(), [](const Budget& budget) { return budget.nanoDollars.has_value(); });
}

} // namespace

core::Expected<RateCard, core::Error> RateCard::load(Settings settings)
{
    if (settings.file.empty()) {
        return RateCard(std::move(settings), std::make_shared<const core::PriceList>(core::PriceList::builtIn()));
    }
    std::ifstream file(settings.file, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file || text.size() > kLongestFile) {
        return core::fail(core::ErrorCode::BadConfiguration, "usage.prices_file names a file that cannot be read");
    }
    auto prices = core::PriceList::parse(text);
    if (!prices) {
        return core::fail(core::ErrorCode::BadConfiguration, "usage.prices_file: " + prices.error());
    }
    return RateCard(std::move(settings), std::make_shared<const core::PriceList>(std::move(*prices)));
}

std::optional<Fault> RateCard::hold(Account& account, core::WallTime now) const
{
    if (m_settings.isFree) {
        return std::nullopt;
    }
    const core::PriceRow* const price = m_prices->find(account.model, now);
    if (m_settings.holdCents) {
        account.hold = *m_settings.holdCents * kNanoOfCent;
    } else if (price != nullptr) {
        // A connection that is paid by the minute is told of more often than that.
        account.hold = price->costOfLongestTurn() + price->minute;
    }
    if (price == nullptr && isMoneyBounded(account.budgets)) {
        return Fault{FaultCode::NotAllowed, "nobody knows what this model costs, and there is a budget", std::nullopt};
    }
    return std::nullopt;
}

} // namespace vivavoce::broker::usage
