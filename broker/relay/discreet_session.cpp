#include "broker/relay/discreet_session.h"

namespace vivavoce::broker::relay {

net::Awaitable<core::Expected<net::WebSocketMessage, net::WebSocketClose>> DiscreetSession::read()
{
    auto message = co_await m_session->read();
    bool isQuoted = false;
    for (const CredentialMask* const mask : {m_key.get(), m_token.get()}) {
        if (mask != nullptr && message) {
            isQuoted = mask->hide(message->data) || isQuoted;
        } else if (mask != nullptr) {
            isQuoted = mask->hideInReason(message.error().reason) || isQuoted;
        }
    }
    if (isQuoted && m_onQuoted) {
        std::exchange(m_onQuoted, nullptr)();
    }
    co_return std::move(message);
}

} // namespace vivavoce::broker::relay
