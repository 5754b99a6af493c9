#include "broker/reports/month.h"

#include "broker/usage/usage_report.h"

namespace vivavoce::broker::reports {
namespace {

constexpr std::chrono::minutes kGrace{5};
constexpr std::size_t kLength = std::string_view("2026-11").size();

} // namespace

std::optional<Month> Month::parse(std::string_view text)
{
    const auto day = usage::dayOfDate(std::string(text) + "-01");
    if (text.size() != kLength || !day || *day < 0) {
        return std::nullopt;
    }
    return of(core::WallTime(std::chrono::sys_days{std::chrono::days{*day}}));
}

Month Month::of(core::WallTime time)
{
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
    return Month(date.year() / date.month());
}

std::string Month::text() const
{
    return usage::dateOf(firstDay()).substr(0, kLength);
}

std::int64_t Month::firstDay() const
{
    return std::chrono::sys_days{m_month / 1}.time_since_epoch().count();
}

std::int64_t Month::endDay() const
{
    return std::chrono::sys_days{(m_month + std::chrono::months{1}) / 1}.time_since_epoch().count();
}

bool Month::isOver(core::WallTime now) const
{
    return now >= core::WallTime(std::chrono::sys_days{std::chrono::days{endDay()}}) + kGrace;
}

} // namespace vivavoce::broker::reports
