#include "agent/realtime/event_writer.h"

#include "core/base/random_id.h"
#include "core/protocol/openai/codec.h"

#include <utility>
#include <variant>

namespace vivavoce::agent::realtime {

namespace openai = core::openai;

void EventWriter::send(openai::ServerEvent event)
{
    if (m_closing) {
        return;
    }
    std::visit([](auto& known) { known.eventId = "event_" + core::randomId(); }, event);
    m_queue.push_back(encode(event));
    m_bytes += m_queue.back().size();
    if (m_wake) {
        m_wake();
    }
}

void EventWriter::sendError(const EventFault& fault, const std::string& clientEventId)
{
    openai::ErrorEvent event;
    event.error = {
        fault.type, whereGiven(fault.code), fault.message, whereGiven(fault.param), whereGiven(clientEventId)};
    send(std::move(event));
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
