#include "broker/relay/responses_under_way.h"

#include <algorithm>
#include <utility>

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

/// Two that differ only behind that are one: then neither is its own.
std::string shortened(std::string_view name)
{
    return std::string(name.substr(0, kLongestName));
}

} // namespace

bool ResponsesUnderWay::use(const std::string& name, core::MonotonicTime now)
{
    if (name.empty()) {
        return false;
    }
    for (Asked& asked : m_asked) {
        asked.isNameItsOwn = asked.isNameItsOwn && asked.name != name;
    }
    return m_names.use(name, now);
}

void ResponsesUnderWay::asked(std::string_view eventId, core::MonotonicTime now)
{
    Asked asked{shortened(eventId), now};
    asked.isNameItsOwn = use(asked.name, now);
    if (m_asked.size() < kMost) {
        m_asked.push_back(std::move(asked));
    }
}

void ResponsesUnderWay::sent(std::string_view eventId, core::MonotonicTime now)
{
    use(shortened(eventId), now);
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
    const std::string name = shortened(eventId);
    const auto isNamed = [&name](const Asked& asked) { return name.empty() || asked.name == name; };
    const auto found = std::find_if(m_asked.begin(), m_asked.end(), isNamed);
    if (found == m_asked.end()) {
        return;
    }
    if (isAboutAResponse || (!name.empty() && found->isNameItsOwn)) {
        m_asked.erase(found);
        return;
    }
    for (Asked& asked : m_asked) {
        asked.isDoubtful = asked.isDoubtful || isNamed(asked);
    }
}

void ResponsesUnderWay::forgetRefused(core::MonotonicTime now)
{
    std::erase_if(m_asked, [now](const Asked& asked) { return asked.isDoubtful && now - asked.at >= kSlowestBegin; });
}

void ResponsesUnderWay::giveUp()
{
    m_asked.clear();
    m_begun.clear();
}

} // namespace vivavoce::broker::relay
