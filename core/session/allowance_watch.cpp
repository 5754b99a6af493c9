#include "core/session/allowance_watch.h"

#include "core/usage/price_list.h"
#include "core/usage/utc_day.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

namespace vivavoce::core {
namespace {

namespace notice = session_notice;

/// Of money.
constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
/// How often it is looked at what is left for more minutes: seldom enough to be no load, often enough to hear of others' conversations.
constexpr Milliseconds kShortestLook{100};
constexpr Milliseconds kLongestLook{600'000};

std::string dollars(std::int64_t nanoDollars)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "$%.2f", static_cast<double>(nanoDollars) / 1e9);
    return text.data();
}

/// Nobody does anything.
bool isStill(Activity activity)
{
    return activity == Activity::Listening || activity == Activity::Stalled;
}

} // namespace

bool AllowanceWatch::begin()
{
    if (!hasMonthLimit()) {
        return true;
    }
    const auto spent = m_deps.spentThisMonth();
    if (!spent) {
        end(ErrorCode::BadConfiguration, "the spending limit for a month cannot be kept: " + spent.error().detail,
            kUnknownMonth);
        return false;
    }
    m_month = firstOfMonth(utcDay(m_deps.clock.wallNow()));
    m_spentBefore = *spent;
    look();
    endIfUsedUp();
    return !m_isOver;
}

void AllowanceWatch::told(const SessionNotice& told)
{
    if (m_isOver) {
        return;
    }
    if (const auto* phase = std::get_if<notice::PhaseChanged>(&told)) {
        phaseChanged(phase->phase);
    } else if (const auto* activity = std::get_if<notice::ActivityChanged>(&told)) {
        activityChanged(activity->activity);
    } else if (const auto* token = std::get_if<notice::TokenChanged>(&told)) {
        tokenChanged(*token);
    } else if (std::holds_alternative<notice::TranscriptChanged>(told)) {
        waitForSilence();
    } else if (const auto* reply = std::get_if<notice::ReplyUsage>(&told)) {
        const PriceRow* const price = priceOf(m_model);
        paid(price != nullptr ? price->costOf(reply->usage) : 0);
    } else if (std::holds_alternative<notice::ReplyStarted>(told)) {
        // Asked for before it was known what the last one came to.
        endIfUsedUp();
    } else if (const auto* words = std::get_if<notice::TranscriptionUsage>(&told)) {
        const PriceRow* const price = priceOf(words->model);
        paid(price != nullptr ? price->costOf(words->usage).value_or(0) : 0);
    } else if (std::holds_alternative<notice::Ended>(told)) {
        m_isOver = true;
        m_silence.reset();
        m_money.reset();
    }
}

void AllowanceWatch::phaseChanged(Phase phase)
{
    countTime();
    m_isLive = phase == Phase::Live;
    // A connection that comes and goes is no sign of life.
    if (m_isLive && m_silence == nullptr) {
        waitForSilence();
    }
    payForMinutes();
}

void AllowanceWatch::activityChanged(Activity activity)
{
    m_activity = activity;
    waitForSilence();
    if (activity != Activity::Speaking) {
        endIfUsedUp();
    }
}

void AllowanceWatch::tokenChanged(const notice::TokenChanged& changed)
{
    if (changed.model.empty()) {
        return;
    }
    countTime();
    m_model = changed.model;
    if ((m_deps.allowance.nanoDollars > 0 || hasMonthLimit()) && priceOf(m_model) == nullptr) {
        end(ErrorCode::BadConfiguration,
            "nobody knows what " + m_model + " costs, so a spending limit cannot be kept with it");
        return;
    }
    payForMinutes();
}

const PriceRow* AllowanceWatch::priceOf(const std::string& model) const
{
    return PriceList::builtIn().find(model, m_deps.clock.wallNow());
}

void AllowanceWatch::countTime()
{
    const MonotonicTime now = m_deps.clock.now();
    if (m_isLive) {
        eachUtcDay(m_deps.clock.wallNow(), std::chrono::duration_cast<WallTime::duration>(now - m_countedUntil),
            [this](const std::string& day, Milliseconds time) {
                const PriceRow* const price = PriceList::builtIn().find(m_model, day);
                add(price != nullptr ? price->costOf(time) : 0, day);
            });
    }
    m_countedUntil = now;
}

void AllowanceWatch::add(std::int64_t nanoDollars, const std::string& day)
{
    m_nanoDollars += nanoDollars;
    if (std::string month = firstOfMonth(day); month != m_month) {
        // It has its own limit.
        m_month = std::move(month);
        m_spentBefore = 0;
        m_spentInMonth = 0;
    }
    m_spentInMonth += nanoDollars;
}

void AllowanceWatch::payForMinutes()
{
    m_money.reset();
    const PriceRow* const price = m_isLive ? priceOf(m_model) : nullptr;
    if (price != nullptr && price->minute > 0) {
        paid(0);
    }
}

void AllowanceWatch::paid(std::int64_t nanoDollars)
{
    countTime();
    add(nanoDollars, utcDay(m_deps.clock.wallNow()));
    look();
    // What has been paid for is heard to its end; a reply is over when its activity is.
    if (m_activity != Activity::Speaking && m_activity != Activity::Thinking) {
        endIfUsedUp();
    }
}

void AllowanceWatch::endIfUsedUp()
{
    if (m_isUsedUp) {
        end(ErrorCode::BudgetExhausted,
            "the spending limit of " + dollars(m_deps.allowance.nanoDollars) + " for a conversation is reached");
    } else if (m_isMonthUsedUp) {
        end(ErrorCode::BudgetExhausted,
            "the spending limit of " + dollars(m_deps.allowance.monthNanoDollars) + " for a month is reached");
    }
}

void AllowanceWatch::look()
{
    const std::int64_t left =
        m_deps.allowance.nanoDollars > 0 ? m_deps.allowance.nanoDollars - m_nanoDollars : kNoLimit;
    const std::int64_t leftOfMonth = hasMonthLimit() ? m_deps.allowance.monthNanoDollars - spentThisMonth() : kNoLimit;
    m_isUsedUp = left <= 0;
    m_isMonthUsedUp = leftOfMonth <= 0;
    waitForEnd(std::min(left, leftOfMonth));
}

std::int64_t AllowanceWatch::spentThisMonth() const
{
    // Other conversations go on at the same time; and what could not be written down was spent all the same.
    return std::max(m_deps.spentThisMonth().value_or(0), m_spentBefore + m_spentInMonth);
}

void AllowanceWatch::waitForEnd(std::int64_t nanoDollarsLeft)
{
    m_money.reset();
    const PriceRow* const price = m_isLive ? priceOf(m_model) : nullptr;
    if (price == nullptr || price->minute <= 0 || nanoDollarsLeft <= 0 || nanoDollarsLeft == kNoLimit) {
        return;
    }
    constexpr double kMinute = 60'000;
    const double left = std::ceil(static_cast<double>(nanoDollarsLeft) / static_cast<double>(price->minute) * kMinute);
    const double longest = static_cast<double>(kLongestLook.count());
    m_money = m_deps.executor.after(
        std::max(kShortestLook, Milliseconds{static_cast<Milliseconds::rep>(std::min(left, longest))}), [this] {
            // It is called from within.
            const auto timer = std::move(m_money);
            if (!m_isOver) {
                paid(0);
            }
        });
}

void AllowanceWatch::waitForSilence()
{
    m_silence.reset();
    if (m_deps.allowance.silence > Milliseconds{0} && isStill(m_activity)) {
        m_silence = m_deps.executor.after(m_deps.allowance.silence, [this] {
            const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(m_deps.allowance.silence).count();
            end(ErrorCode::Cancelled, "nobody has said anything for " + std::to_string(minutes) + " min");
        });
    }
}

void AllowanceWatch::end(ErrorCode code, std::string detail, std::string foreignCode)
{
    if (std::exchange(m_isOver, true)) {
        return;
    }
    // The timers stay: we may stand in a call of theirs.
    m_deps.end({code, std::move(detail), std::nullopt, std::move(foreignCode)});
}

} // namespace vivavoce::core
