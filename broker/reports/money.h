#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker::reports {

/// A currency, and what a dollar is in it.
struct Currency {
    /// ISO 4217.
    std::string code = "USD";
    /// Units for one dollar, in millionths.
    std::int64_t rateMillionths = 1'000'000;
    /// The day on which it was that: "2026-11-01"; empty for dollars.
    std::string rateDate;

    /// Of its amounts, behind the point: 2 for most, 0 for JPY and the like.
    [[nodiscard]] int digits() const;
    bool operator==(const Currency&) const = default;
};

/// "0.92": up to six digits behind the point, more than nothing, at most a million. Millionths.
[[nodiscard]] std::optional<std::int64_t> parseRate(std::string_view text);
/// The same as text, without zeros at its end.
[[nodiscard]] std::string rateText(std::int64_t millionths);

/// An amount of money as an invoice states it: exact, and rounded once.
struct Stated {
    /// In the currency's smallest unit, half to even.
    std::int64_t minor = 0;
    /// Before rounding, and what rounding has added: decimal texts.
    std::string exact;
    std::string rounding;
};
[[nodiscard]] Stated state(std::int64_t nanoDollars, const Currency& currency);

/// A tax of so many hundredths of a percent, half to even.
[[nodiscard]] std::int64_t taxOf(std::int64_t minor, std::int64_t basisPoints);

/// 1235 with two digits: "12.35".
[[nodiscard]] std::string amountText(std::int64_t minor, int digits);

} // namespace vivavoce::broker::reports
