#include "broker/config_problems.h"

#include <algorithm>
#include <utility>

namespace vivavoce::broker {
namespace {

constexpr std::size_t kMost = 100;

} // namespace

std::string Problems::originOf(std::string_view key) const
{
    if (const auto found = m_origins.find(key); found != m_origins.end()) {
        return found->second;
    }
    const std::size_t dot = key.rfind("].");
    const auto table = dot == std::string_view::npos ? m_origins.end() : m_origins.find(key.substr(0, dot + 1));
    return table == m_origins.end() ? std::string() : table->second;
}

void Problems::insert(Severity severity, std::string_view key, std::string text, const std::string& place)
{
    if (!place.empty()) {
        text += " (" + place + ")";
    }
    const bool isKnown = std::any_of(
        m_problems.begin(), m_problems.end(), [&](const Problem& one) { return one.key == key && one.text == text; });
    if (!isKnown && m_problems.size() < kMost) {
        m_problems.push_back({severity, std::string(key), std::move(text)});
    }
}

void Problems::add(std::string_view key, std::string_view what, Severity severity)
{
    // What is wrong with a value says more than what follows from its absence.
    if (severity != Severity::Fault || !has(key)) {
        insert(severity, key, std::string(key) + " " + std::string(what), originOf(key));
    }
}

void Problems::add(std::string_view key, const core::Error& error)
{
    if (!has(key)) {
        insert(Severity::Fault, key, error.detail, originOf(key));
    }
}

void Problems::addAt(std::string_view key, std::string_view what, const std::string& place)
{
    insert(Severity::Fault, key, std::string(key) + " " + std::string(what), place);
}

bool Problems::has(std::string_view key) const
{
    return std::any_of(m_problems.begin(), m_problems.end(),
        [&](const Problem& one) { return one.key == key && one.severity == Severity::Fault; });
}

std::size_t Problems::count(Severity severity) const
{
    return static_cast<std::size_t>(std::count_if(
        m_problems.begin(), m_problems.end(), [&](const Problem& one) { return one.severity == severity; }));
}

core::Error Problems::firstFault() const
{
    const auto first = std::find_if(
        m_problems.begin(), m_problems.end(), [](const Problem& one) { return one.severity == Severity::Fault; });
    return {core::ErrorCode::BadConfiguration, first == m_problems.end() ? std::string() : first->text, {}, {}};
}

} // namespace vivavoce::broker
