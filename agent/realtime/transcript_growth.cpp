#include "agent/realtime/transcript_growth.h"

#include <algorithm>

namespace vivavoce::agent::realtime {

std::string TranscriptGrowth::partial(std::string_view text)
{
    const auto ends = std::mismatch(text.begin(), text.end(), m_previous.begin(), m_previous.end());
    std::string_view stable = text.substr(0, static_cast<std::size_t>(ends.first - text.begin()));
    // The word that the texts part in, or end with, may still grow.
    const std::size_t lastSpace = stable.rfind(' ');
    stable = stable.substr(0, lastSpace == std::string_view::npos ? 0 : lastSpace);
    m_previous = std::string(text);
    return grow(stable);
}

std::string TranscriptGrowth::finish(std::string_view text)
{
    return grow(text);
}

std::string TranscriptGrowth::grow(std::string_view stable)
{
    const bool continues = stable.size() > m_told.size() && stable.substr(0, m_told.size()) == m_told
        && (m_told.empty() || stable[m_told.size()] == ' ');
    if (!continues) {
        return {};
    }
    std::string delta(stable.substr(m_told.size()));
    m_told = std::string(stable);
    return delta;
}

} // namespace vivavoce::agent::realtime
