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

bool forgetOldest(std::deque<std::string>& names)
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

void remember(std::deque<std::string>& names, std::string_view name)
{
    if (names.size() < ResponsesUnderWay::kMost) {
        names.push_back(shortened(name));
    }
}

} // namespace

void ResponsesUnderWay::asked(std::string_view eventId)
{
    remember(m_asked, eventId);
}

void ResponsesUnderWay::began(const std::string& id)
{
    forgetOldest(m_asked);
    remember(m_begun, id);
}

void ResponsesUnderWay::ended(const std::string& id)
{
    const std::string name = shortened(id);
    if (forget(m_begun, name) || (name.empty() && forgetOldest(m_begun))) {
        return;
    }
    forgetOldest(m_asked);
}

void ResponsesUnderWay::refused(const std::string& eventId)
{
    if (eventId.empty()) {
        forgetOldest(m_asked);
    } else {
        forget(m_asked, shortened(eventId));
    }
}

} // namespace vivavoce::broker::relay
