#pragma once

#include "broker/providers/credential_mask.h"
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
    /// `token`: of what was shown in the key's place; null: nothing was. `onQuoted` is called the first time that there was something to hide.
    DiscreetSession(std::unique_ptr<net::WebSocketSession> session, std::shared_ptr<const CredentialMask> key,
        std::shared_ptr<const CredentialMask> token, std::function<void()> onQuoted)
        : m_session(std::move(session)),
          m_key(std::move(key)),
          m_token(std::move(token)),
          m_onQuoted(std::move(onQuoted))
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
    const std::shared_ptr<const CredentialMask> m_key;
    const std::shared_ptr<const CredentialMask> m_token;
    std::function<void()> m_onQuoted;
};

} // namespace vivavoce::broker::relay
