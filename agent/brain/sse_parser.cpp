#include "agent/brain/sse_parser.h"

#include <utility>

namespace vivavoce::agent::brain {

core::Expected<void, core::Error> SseParser::feed(std::string_view bytes)
{
    for (const char c : bytes) {
        if (c == '\n' && std::exchange(m_lastWasCr, false)) {
            continue;
        }
        m_lastWasCr = c == '\r';
        if (c == '\n' || c == '\r') {
            takeLine();
            continue;
        }
        if (m_line.size() + m_data.size() >= kMaxEventBytes) {
            return core::fail(core::ErrorCode::ProviderMessageTooBig, "a server-sent event over 1 MiB");
        }
        m_line += c;
    }
    return {};
}

void SseParser::takeLine()
{
    std::string line = std::exchange(m_line, {});
    if (std::exchange(m_isFirstLine, false) && line.starts_with("\xEF\xBB\xBF")) {
        line.erase(0, 3);
    }
    if (line.empty()) {
        if (std::exchange(m_hasData, false)) {
            m_sink({m_type.empty() ? "message" : m_type, std::exchange(m_data, {})});
        }
        m_type.clear();
        return;
    }
    const auto colon = line.find(':');
    const std::string_view field = std::string_view(line).substr(0, colon);
    std::string_view value = colon == std::string::npos ? std::string_view{} : std::string_view(line).substr(colon + 1);
    if (value.starts_with(' ')) {
        value.remove_prefix(1);
    }
    if (field == "data") {
        if (m_hasData) {
            m_data += '\n';
        }
        m_data += value;
        m_hasData = true;
    } else if (field == "event") {
        m_type = value;
    }
}

} // namespace vivavoce::agent::brain
