#include "core/session/gemini/gemini_transport.h"

#include "core/protocol/gemini/codec.h"
#include "core/protocol/openai/codec.h"

#include <utility>

namespace vivavoce::core {

void GeminiTransport::open(const TransportTarget& target, TransportListener& listener)
{
    m_listener = &listener;
    m_deps.inner->open(target, *this);
}

void GeminiTransport::send(std::string_view message)
{
    auto event = openai::decodeClientEvent(message);
    if (!event) {
        return;
    }
    GeminiTranslator::Steps steps = m_translator.said(std::move(*event));
    sendAll(steps);
    if (steps.toSession.empty() && !steps.endsIn) {
        return;
    }
    m_late.push_back(std::move(steps));
    m_deps.executor.post([self = std::weak_ptr(m_self)] {
        if (const auto transport = self.lock()) {
            (*transport)->tellLate();
        }
    });
}

void GeminiTransport::transportOpened()
{
    m_listener->transportOpened();
    tellAll(m_translator.opened());
}

void GeminiTransport::textReceived(std::string_view message)
{
    tellLate();
    auto decoded = gemini::decodeServerMessage(message);
    if (!decoded) {
        // Nor is it anything that the session could read: it says so.
        m_listener->textReceived(message);
        return;
    }
    GeminiTranslator::Steps steps = m_translator.heard(std::move(*decoded));
    sendAll(steps);
    tellAll(std::move(steps));
}

void GeminiTransport::pingAnswered(std::uint64_t ping)
{
    m_listener->pingAnswered(ping);
}

void GeminiTransport::transportClosed(const TransportClose& close)
{
    tellLate();
    TransportClose told = close;
    tellAll(m_translator.closed(told));
    m_listener->transportClosed(told);
}

void GeminiTransport::transportFailed(const Error& error)
{
    tellLate();
    m_listener->transportFailed(error);
}

void GeminiTransport::sendAll(const GeminiTranslator::Steps& steps)
{
    for (const gemini::ClientMessage& message : steps.toProvider) {
        m_deps.inner->send(gemini::encode(message));
    }
}

void GeminiTransport::tellAll(GeminiTranslator::Steps steps)
{
    for (const openai::ServerEvent& event : steps.toSession) {
        m_listener->textReceived(openai::encode(event));
    }
    if (steps.endsIn) {
        m_listener->endAnnounced(*steps.endsIn);
    }
}

void GeminiTransport::tellLate()
{
    while (!m_late.empty()) {
        GeminiTranslator::Steps steps = std::move(m_late.front());
        m_late.pop_front();
        tellAll(std::move(steps));
    }
}

} // namespace vivavoce::core
