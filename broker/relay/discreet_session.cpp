#include "broker/relay/discreet_session.h"

namespace vivavoce::broker::relay {

net::Awaitable<core::Expected<net::WebSocketMessage, net::WebSocketClose>> DiscreetSession::read()
{
    auto message = co_await m_session->read();
    bool isQuoted = false;
    if (message) {
        isQuoted = m_mask.hide(message->data);
    } else {
        isQuoted = m_mask.hideInReason(message.error().reason);
    }
    if (isQuoted) {
        if (const auto told = std::exchange(m_onQuoted, nullptr)) {
            told();
        }
    }
    co_return std::move(message);
}

} // namespace vivavoce::broker::relay
