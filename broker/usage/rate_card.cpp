#include "broker/usage/rate_card.h"

#include "broker/config_values.h"

#include <algorithm>
#include <utility>

namespace vivavoce::broker::usage {
namespace {

constexpr std::int64_t kNanoOfCent = 10'000'000;
constexpr std::size_t kLongestFile = 4 * 1024 * 1024;

/// A model that speaks, and of which nobody knows how long: then nobody knows what to hold for it.
const core::PriceRow* withoutLength(const core::PriceList& prices)
{
    const auto& rows = prices.rows();
    const auto found = std::find_if(rows.begin(), rows.end(), [](const core::PriceRow& row) {
        return row.audioOut > 0 && (row.longestInput == 0 || row.longestOutput == 0);
    });
    return found == rows.end() ? nullptr : &*found;
}

} // namespace

core::Expected<RateCard, core::Error> RateCard::load(Settings settings)
{
    if (settings.file.empty()) {
        return RateCard(std::move(settings), std::make_shared<const core::PriceList>(core::PriceList::builtIn()));
    }
    const auto text = readPlainFile(settings.file, kLongestFile);
    if (!text) {
        return core::fail(core::ErrorCode::BadConfiguration, "usage.prices_file names a file that cannot be read");
    }
    auto prices = core::PriceList::parse(*text);
    if (!prices) {
        return core::fail(core::ErrorCode::BadConfiguration, "usage.prices_file: " + prices.error());
    }
    if (const core::PriceRow* const row = withoutLength(*prices); row != nullptr && !settings.holdCents) {
        return core::fail(core::ErrorCode::BadConfiguration,
            "usage.prices_file: " + row->model
                + ": longestInput and longestOutput have to be there, or usage.hold_cents");
    }
    return RateCard(std::move(settings), std::make_shared<const core::PriceList>(std::move(*prices)));
}

const std::shared_ptr<const core::PriceList>& RateCard::pricesOf(const Account& account) const
{
    const auto& others = m_settings.others;
    const bool isOther = std::find(others.begin(), others.end(), account.provider) != others.end();
    return isOther && m_settings.file.empty() ? m_none : m_prices;
}

std::optional<Fault> RateCard::hold(Account& account, core::WallTime now) const
{
    if (isFree(account)) {
        return std::nullopt;
    }
    const core::PriceRow* const price = pricesOf(account)->find(account.model, now);
    if (m_settings.holdCents) {
        account.hold = *m_settings.holdCents * kNanoOfCent;
    } else if (price != nullptr) {
        // A connection that is paid by the minute is told of more often than that.
        account.hold = price->costOfLongestTurn() + price->minute;
    }
    if (price == nullptr && account.isMoneyBounded()) {
        return Fault{FaultCode::NotAllowed, "nobody knows what this model costs, and there is a budget", std::nullopt};
    }
    if (account.hold == 0 && price != nullptr && price->audioOut + price->textOut > 0 && account.isMoneyBounded()) {
        return Fault{FaultCode::NotAllowed,
            "nobody knows what a response of this model can cost, and there is a budget", std::nullopt};
    }
    return std::nullopt;
}

std::int64_t RateCard::costOfUntold(const Account& account, core::WallTime now) const
{
    const core::PriceRow* const price = pricesOf(account)->find(account.model, now);
    const bool isPaidByTokens = price != nullptr && (price->textOut > 0 || price->audioOut > 0);
    return isPaidByTokens && isSpending(account) ? account.hold : 0;
}

} // namespace vivavoce::broker::usage
