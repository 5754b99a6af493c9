#include "core/base/rfc3339.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace vivavoce::core {
namespace {

/// A WallTime may count nanoseconds, which are used up in 1677 and in 2262.
constexpr int kFirstYear = 1678;
constexpr int kLastYear = 2261;

/// Exactly `count` digits at the front, taken off.
std::optional<int> takeDigits(std::string_view& text, std::size_t count)
{
    if (text.size() < count) {
        return std::nullopt;
    }
    int value = 0;
    for (const char c : text.substr(0, count)) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(count);
    return value;
}

bool takeChar(std::string_view& text, char expected)
{
    if (text.empty() || text.front() != expected) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

/// "Z" or "+hh:mm" as the whole rest.
std::optional<std::chrono::minutes> takeOffset(std::string_view& text)
{
    if (takeChar(text, 'Z') || takeChar(text, 'z')) {
        return text.empty() ? std::optional(std::chrono::minutes{0}) : std::nullopt;
    }
    const bool isBehind = takeChar(text, '-');
    if (!isBehind && !takeChar(text, '+')) {
        return std::nullopt;
    }
    const auto hours = takeDigits(text, 2);
    if (!hours || !takeChar(text, ':')) {
        return std::nullopt;
    }
    const auto minutes = takeDigits(text, 2);
    if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) {
        return std::nullopt;
    }
    const std::chrono::minutes offset(*hours * 60 + *minutes);
    return isBehind ? -offset : offset;
}

bool dropFraction(std::string_view& text)
{
    if (!takeChar(text, '.')) {
        return true;
    }
    const std::size_t digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos) {
        return false;
    }
    text.remove_prefix(digits);
    return true;
}

} // namespace

std::string formatRfc3339(WallTime time)
{
    using namespace std::chrono;
    const auto seconds = floor<std::chrono::seconds>(time);
    const auto day = floor<days>(seconds);
    const year_month_day date(day);
    const hh_mm_ss clock(seconds - day);
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    return text.data();
}

std::optional<WallTime> parseRfc3339(std::string_view text)
{
    using namespace std::chrono;
    const auto y = takeDigits(text, 4);
    if (!y || !takeChar(text, '-')) {
        return std::nullopt;
    }
    const auto mo = takeDigits(text, 2);
    if (!mo || !takeChar(text, '-')) {
        return std::nullopt;
    }
    const auto d = takeDigits(text, 2);
    if (!d || (!takeChar(text, 'T') && !takeChar(text, 't'))) {
        return std::nullopt;
    }
    const auto h = takeDigits(text, 2);
    if (!h || !takeChar(text, ':')) {
        return std::nullopt;
    }
    const auto mi = takeDigits(text, 2);
    if (!mi || !takeChar(text, ':')) {
        return std::nullopt;
    }
    const auto s = takeDigits(text, 2);
    if (!s || !dropFraction(text)) {
        return std::nullopt;
    }
    const auto offset = takeOffset(text);
    const year_month_day date(year(*y), month(static_cast<unsigned>(*mo)), day(static_cast<unsigned>(*d)));
    if (!offset || !date.ok() || *y < kFirstYear || *y > kLastYear || *h > 23 || *mi > 59 || *s > 59) {
        return std::nullopt;
    }
    return WallTime(sys_days(date) + hours(*h) + minutes(*mi) + seconds(*s) - *offset);
}

} // namespace vivavoce::core
