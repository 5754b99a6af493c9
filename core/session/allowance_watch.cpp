#include "core/session/allowance_watch.h"

#include "core/usage/price_list.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace vivavoce::core {
namespace {

namespace notice = session_notice;

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
        end(spent.error().code, "the spending limit for a month cannot be kept: " + spent.error().detail);
        return false;
    }
    m_spentBefore = *spent;
    m_isMonthUsedUp = isMonthUsedUp();
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
        const auto cost = estimate(m_model, UsageTally::of(reply->usage));
        paid(cost ? cost->nanoDollars : 0);
    } else if (std::holds_alternative<notice::ReplyStarted>(told)) {
        // Asked for before it was known what the last one came to.
        endIfUsedUp();
    } else if (const auto* words = std::get_if<notice::TranscriptionUsage>(&told)) {
        const auto cost = estimate(words->model, TranscriptionTally::of(words->usage));
        paid(cost ? cost->nanoDollars : 0);
    } else if (std::holds_alternative<notice::Ended>(told)) {
        m_isOver = true;
        m_timer.reset();
    }
}

void AllowanceWatch::phaseChanged(Phase phase)
{
    countTime();
    m_isLive = phase == Phase::Live;
    // A connection that comes and goes is no sign of life.
    if (m_isLive && m_timer == nullptr) {
        waitForSilence();
    }
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
    m_model = changed.model;
    if ((m_deps.allowance.nanoDollars > 0 || hasMonthLimit()) && !estimate(m_model, UsageTally{})) {
        end(ErrorCode::BadConfiguration,
            "nobody knows what " + m_model + " costs, so a spending limit cannot be kept with it");
    }
}

void AllowanceWatch::countTime()
{
    const MonotonicTime now = m_deps.clock.now();
    const PriceRow* const row = m_isLive ? PriceList::builtIn().find(m_model, m_deps.clock.wallNow()) : nullptr;
    if (row != nullptr) {
        m_nanoDollars += row->costOf(std::chrono::duration_cast<Milliseconds>(now - m_countedUntil));
    }
    m_countedUntil = now;
}

void AllowanceWatch::paid(std::int64_t nanoDollars)
{
    countTime();
    m_nanoDollars += nanoDollars;
    m_isUsedUp = m_deps.allowance.nanoDollars > 0 && m_nanoDollars >= m_deps.allowance.nanoDollars;
    m_isMonthUsedUp = hasMonthLimit() && isMonthUsedUp();
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

bool AllowanceWatch::isMonthUsedUp()
{
    // Other conversations go on at the same time; and what could not be written down was spent all the same.
    const auto spent = m_deps.spentThisMonth();
    return std::max(spent ? *spent : 0, m_spentBefore + m_nanoDollars) >= m_deps.allowance.monthNanoDollars;
}

void AllowanceWatch::waitForSilence()
{
    m_timer.reset();
    if (m_deps.allowance.silence > Milliseconds{0} && isStill(m_activity)) {
        m_timer = m_deps.executor.after(m_deps.allowance.silence, [this] {
            const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(m_deps.allowance.silence).count();
            end(ErrorCode::Cancelled, "nobody has said anything for " + std::to_string(minutes) + " min");
        });
    }
}

void AllowanceWatch::end(ErrorCode code, std::string detail)
{
    if (std::exchange(m_isOver, true)) {
        return;
    }
    // The timer stays: we may stand in its call.
    m_deps.end({code, std::move(detail), std::nullopt, {}});
}

} // namespace vivavoce::core
