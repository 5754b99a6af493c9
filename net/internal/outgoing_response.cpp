#include "net/internal/outgoing_response.h"

#include <array>
#include <cstdio>

namespace vivavoce::net {

std::string httpDate(std::chrono::system_clock::time_point when)
{
    using namespace std::chrono;
    constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> kMonths{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = floor<days>(when);
    const year_month_day date(day);
    const hh_mm_ss time(floor<seconds>(when - day));
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT", kDays.at(weekday(day).c_encoding()),
        static_cast<unsigned>(date.day()), kMonths.at(static_cast<unsigned>(date.month()) - 1),
        static_cast<int>(date.year()), static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count()));
    return text.data();
}

http::response<http::string_body> makeOutgoing(
    const HttpRequest& request, HttpResponse response, unsigned version, bool keepsAlive)
{
    http::response<http::string_body> raw(static_cast<http::status>(response.status), version);
    for (const auto& field : response.headers.fields()) {
        raw.insert(field.name, field.value);
    }
    if (raw.find(http::field::date) == raw.end()) {
        raw.set(http::field::date, httpDate(std::chrono::system_clock::now()));
    }
    raw.keep_alive(keepsAlive);
    if (response.status == 204 || response.status == 304) {
        return raw;
    }
    raw.content_length(response.body.size());
    if (request.method != "HEAD") {
        raw.body() = std::move(response.body);
    }
    return raw;
}

} // namespace vivavoce::net
