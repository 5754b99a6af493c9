#pragma once

#include "core/usage/usage_tally.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vivavoce::core {

/// Billionths of a US dollar for one token: $0.40 for a million of them is 400.
struct PriceRow {
    std::string_view model;
    /// The day on which these prices were read: "2026-10-09".
    std::string_view asOf;
    std::int64_t textIn = 0;
    std::int64_t cachedTextIn = 0;
    std::int64_t textOut = 0;
    std::int64_t audioIn = 0;
    std::int64_t cachedAudioIn = 0;
    std::int64_t audioOut = 0;
    std::int64_t imageIn = 0;
    std::int64_t cachedImageIn = 0;
};

/// Money in billionths of a US dollar, and how old the prices are that it was made of.
struct Estimate {
    std::int64_t nanoDollars = 0;
    std::string_view asOf;
};

[[nodiscard]] std::span<const PriceRow> priceList();

/// What it comes to; nothing for a model that is not in the list. A dated name ("gpt-realtime-2026-01-15") is its model's.
/// Never more than an estimate: prices change, and discounts are not ours to know.
[[nodiscard]] std::optional<Estimate> estimate(std::string_view model, const UsageTally& tally);

} // namespace vivavoce::core
