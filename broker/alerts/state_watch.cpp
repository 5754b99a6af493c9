#include "broker/alerts/state_watch.h"

namespace vivavoce::broker::alerts {
namespace {

/// One in twenty of fewer is no share.
constexpr std::int64_t kFewestAnswers = 20;

} // namespace

void StateWatch::see(const std::string& subject, bool isFine, core::MonotonicTime now)
{
    const auto [entry, isFirst] = m_entries.try_emplace(subject, Entry{isFine, now, std::nullopt});
    if (!isFirst && entry->second.isFine != isFine) {
        entry->second.isFine = isFine;
        entry->second.since = now;
    }
}

std::vector<std::pair<std::string, bool>> StateWatch::due(core::MonotonicTime now, core::Milliseconds settle) const
{
    std::vector<std::pair<std::string, bool>> due;
    for (const auto& [subject, entry] : m_entries) {
        const bool isSettled = now - entry.since >= settle;
        if (isSettled && entry.told != entry.isFine) {
            due.emplace_back(subject, entry.isFine);
        }
    }
    return due;
}

void StateWatch::told(const std::string& subject, bool isFine)
{
    m_entries.at(subject).told = isFine;
}

std::optional<bool> ErrorShare::look(
    std::int64_t answers, std::int64_t failures, core::MonotonicTime now, const Settings& settings)
{
    // The newest one that is a window old is what the others are held against.
    while (m_looks.size() > 1 && now - m_looks[1].at >= settings.window) {
        m_looks.pop_front();
    }
    m_looks.push_back({now, answers, failures});
    m_answers = answers - m_looks.front().answers;
    m_failures = failures - m_looks.front().failures;
    if (m_failures == 0) {
        return true;
    }
    if (m_answers < kFewestAnswers) {
        return std::nullopt;
    }
    return m_failures * 100 < m_answers * settings.percent;
}

} // namespace vivavoce::broker::alerts
