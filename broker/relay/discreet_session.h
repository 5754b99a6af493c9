#pragma once

#include "broker/relay/credential_mask.h"
#include "net/websocket_session.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace vivavoce::broker::relay {

/// A provider's session that repeats no credential of ours: whoever reads from it finds them hidden, in messages and in how it ended.
/// Threads: as the session's.
class DiscreetSession final : public net::WebSocketSession {
public:
    /// `onQuoted` is called the first time that there was something to hide.
    DiscreetSession(std::unique_ptr<net::WebSocketSession> session, CredentialMask mask, std::function<void()> onQuoted)
        : m_session(std::move(session)), m_mask(std::move(mask)), m_onQuoted(std::move(onQuoted))
    {
    }

    [[nodiscard]] net::IoExecutor executor() const override { return m_session->executor(); }
    net::Awaitable<core::Expected<net::WebSocketMessage, net::WebSocketClose>> read() override;
    net::Awaitable<bool> send(std::string text) override { return m_session->send(std::move(text)); }
    net::Awaitable<bool> sendBinary(std::string bytes) override { return m_session->sendBinary(std::move(bytes)); }
    net::Awaitable<> close(std::uint16_t code, std::string reason, core::Milliseconds patience) override
    {
        return m_session->close(code, std::move(reason), patience);
    }
    [[nodiscard]] std::size_t queuedBytes() const override { return m_session->queuedBytes(); }

private:
    const std::unique_ptr<net::WebSocketSession> m_session;
    const CredentialMask m_mask;
    std::function<void()> m_onQuoted;
};

} // namespace vivavoce::broker::relay
