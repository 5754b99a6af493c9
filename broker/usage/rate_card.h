#pragma once

#include "broker/fault.h"
#include "broker/usage/account.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/usage/price_list.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker::usage {

/// What things cost here. Immutable. [any thread]
class RateCard {
public:
    struct Settings {
        /// As resources/prices/prices.json is written; empty: what came with the program.
        std::string file;
        /// Of each session under a budget, in cents. Nothing: what the model's longest turn costs.
        std::optional<std::int64_t> holdCents;
        /// The provider of that name is on this computer, and nobody has said what it costs. Empty: none is.
        std::string freeProvider{};
        /// Providers that have prices of their own, whatever their models are called: what came with the program is not theirs.
        std::vector<std::string> others{};
    };

    /// BadConfiguration, with the row that does not do.
    [[nodiscard]] static core::Expected<RateCard, core::Error> load(Settings settings);

    /// Fills in what the account's session holds. NotAllowed: there is a budget of money, and nobody knows what the model costs.
    [[nodiscard]] std::optional<Fault> hold(Account& account, core::WallTime now) const;
    /// What a response counts for of which the provider does not say what it cost, where the account has a hold: under a budget of money as
    /// much as is held for it, or turns that are cut off would be free.
    [[nodiscard]] std::int64_t costOfUntold(const Account& account, core::WallTime now) const;
    /// What it comes to is taken from a budget of money.
    [[nodiscard]] bool isSpending(const Account& account) const { return account.isMoneyBounded() && !isFree(account); }
    /// Whoever's they are.
    [[nodiscard]] const std::shared_ptr<const core::PriceList>& prices() const { return m_prices; }
    /// Those that hold for the account's provider, of its models and of transcribers.
    [[nodiscard]] const std::shared_ptr<const core::PriceList>& pricesOf(const Account& account) const;
    [[nodiscard]] bool isFree(const Account& account) const
    {
        return !m_settings.freeProvider.empty() && account.provider == m_settings.freeProvider;
    }

private:
    RateCard(Settings settings, std::shared_ptr<const core::PriceList> prices)
        : m_settings(std::move(settings)), m_prices(std::move(prices))
    {
    }

    Settings m_settings;
    std::shared_ptr<const core::PriceList> m_prices;
    std::shared_ptr<const core::PriceList> m_none = std::make_shared<const core::PriceList>();
};

} // namespace vivavoce::broker::usage
