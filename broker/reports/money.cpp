#include "broker/reports/money.h"

#include <algorithm>
#include <array>

namespace vivavoce::broker::reports {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t kMillion = 1'000'000;
constexpr int kRateDigits = 6;
/// Nine of a billionth of a dollar, six of a rate.
constexpr int kExactDigits = 15;
constexpr std::array<std::string_view, 16> kWithoutDigits{
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"};
constexpr std::array<std::string_view, 7> kWithThreeDigits{"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};

Wide powerOfTen(int exponent)
{
    Wide power = 1;
    for (int i = 0; i < exponent; ++i) {
        power *= 10;
    }
    return power;
}

/// Half to even. `divisor` is more than nothing.
Wide roundedQuotient(Wide value, Wide divisor)
{
    const bool isNegative = value < 0;
    const Wide magnitude = isNegative ? -value : value;
    Wide quotient = magnitude / divisor;
    const Wide twice = magnitude % divisor * 2;
    if (twice > divisor || (twice == divisor && quotient % 2 != 0)) {
        ++quotient;
    }
    return isNegative ? -quotient : quotient;
}

std::string decimal(Wide value, int digits, bool keepsZeros)
{
    const bool isNegative = value < 0;
    Wide rest = isNegative ? -value : value;
    std::string text;
    for (int i = 0; rest > 0 || i <= digits; ++i) {
        if (i == digits && digits > 0) {
            text += '.';
        }
        text += static_cast<char>('0' + static_cast<int>(rest % 10));
        rest /= 10;
    }
    std::reverse(text.begin(), text.end());
    if (!keepsZeros && digits > 0) {
        text.erase(text.find_last_not_of('0') + 1);
        text.erase(text.find_last_not_of('.') + 1);
    }
    return (isNegative ? "-" : "") + text;
}

} // namespace

int Currency::digits() const
{
    if (std::find(kWithoutDigits.begin(), kWithoutDigits.end(), code) != kWithoutDigits.end()) {
        return 0;
    }
    return std::find(kWithThreeDigits.begin(), kWithThreeDigits.end(), code) != kWithThreeDigits.end() ? 3 : 2;
}

std::optional<std::int64_t> parseRate(std::string_view text)
{
    constexpr std::size_t kLongestWhole = 7;
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view whole = text.substr(0, point);
    const std::string_view part = point == text.size() ? std::string_view() : text.substr(point + 1);
    const auto areDigits = [](std::string_view some) {
        return std::all_of(some.begin(), some.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    if (whole.empty() || whole.size() > kLongestWhole || part.size() > kRateDigits
        || (point < text.size() && part.empty()) || !areDigits(whole) || !areDigits(part)) {
        return std::nullopt;
    }
    std::string digits(whole);
    digits += part;
    digits.append(kRateDigits - part.size(), '0');
    const std::int64_t millionths = std::stoll(digits);
    return millionths > 0 && millionths <= kMillion * kMillion ? std::optional(millionths) : std::nullopt;
}

std::string rateText(std::int64_t millionths)
{
    return decimal(millionths, kRateDigits, false);
}

Stated state(std::int64_t nanoDollars, const Currency& currency)
{
    const Wide exact = static_cast<Wide>(nanoDollars) * currency.rateMillionths;
    const Wide unit = powerOfTen(kExactDigits - currency.digits());
    const Wide minor = roundedQuotient(exact, unit);
    return {static_cast<std::int64_t>(minor), decimal(exact, kExactDigits, false),
        decimal(minor * unit - exact, kExactDigits, false)};
}

std::int64_t taxOf(std::int64_t minor, std::int64_t basisPoints)
{
    constexpr std::int64_t kWhole = 10'000;
    return static_cast<std::int64_t>(roundedQuotient(static_cast<Wide>(minor) * basisPoints, kWhole));
}

std::string amountText(std::int64_t minor, int digits)
{
    return decimal(minor, digits, true);
}

} // namespace vivavoce::broker::reports
