#include "agent/realtime/event_writer.h"

#include "core/base/random_id.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::agent::realtime {

void EventWriter::send(core::Json event)
{
    if (m_closing) {
        return;
    }
    event["event_id"] = "event_" + core::randomId();
    m_queue.push_back(core::writeJson(event));
    m_bytes += m_queue.back().size();
    if (m_wake) {
        m_wake();
    }
}

void EventWriter::sendError(const EventFault& fault, const std::string& clientEventId)
{
    const auto orNull = [](const std::string& text) { return text.empty() ? core::Json(nullptr) : core::Json(text); };
    send({{"type", "error"},
        {"error",
            {{"type", fault.type}, {"code", orNull(fault.code)}, {"message", fault.message},
                {"param", orNull(fault.param)}, {"event_id", orNull(clientEventId)}}}});
}

void EventWriter::close(std::uint16_t code, std::string reason)
{
    if (m_closing) {
        return;
    }
    m_closing = Closing{code, std::move(reason)};
    if (m_wake) {
        m_wake();
    }
}

std::optional<std::string> EventWriter::take()
{
    if (m_queue.empty()) {
        return std::nullopt;
    }
    std::string text = std::move(m_queue.front());
    m_queue.pop_front();
    m_bytes -= text.size();
    return text;
}

} // namespace vivavoce::agent::realtime
