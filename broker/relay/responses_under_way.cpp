#include "broker/relay/responses_under_way.h"

#include <algorithm>

namespace vivavoce::broker::relay {
namespace {

/// OpenAI takes no longer ones.
constexpr std::size_t kLongestName = 512;

bool forget(std::deque<std::string>& names, const std::string& name)
{
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
        return false;
    }
    names.erase(found);
    return true;
}

template <typename Names>
bool forgetOldest(Names& names)
{
    if (names.empty()) {
        return false;
    }
    names.pop_front();
    return true;
}

/// A name that is too long is none.
std::string shortened(std::string_view name)
{
    return std::string(name.size() <= kLongestName ? name : std::string_view());
}

} // namespace

void ResponsesUnderWay::asked(std::string_view eventId)
{
    if (eventId.empty()) {
        sentUnnamed();
    }
    if (m_asked.size() < kMost) {
        m_asked.push_back({shortened(eventId)});
    }
}

void ResponsesUnderWay::sentUnnamed()
{
    for (Asked& asked : m_asked) {
        asked.isLast = false;
    }
}

void ResponsesUnderWay::began(const std::string& id)
{
    forgetOldest(m_asked);
    if (m_begun.size() < kMost) {
        m_begun.push_back(shortened(id));
    }
}

void ResponsesUnderWay::ended(const std::string& id)
{
    const std::string name = shortened(id);
    if (forget(m_begun, name) || (name.empty() && forgetOldest(m_begun))) {
        return;
    }
    forgetOldest(m_asked);
}

void ResponsesUnderWay::refused(const std::string& eventId, bool isAboutAResponse)
{
    if (!eventId.empty()) {
        const auto found = std::find_if(m_asked.begin(), m_asked.end(),
            [name = shortened(eventId)](const Asked& asked) { return asked.name == name; });
        if (found != m_asked.end()) {
            m_asked.erase(found);
        }
    } else if (isAboutAResponse || (!m_asked.empty() && m_asked.front().isLast)) {
        forgetOldest(m_asked);
    }
}

void ResponsesUnderWay::giveUp()
{
    m_asked.clear();
    m_begun.clear();
}

} // namespace vivavoce::broker::relay
