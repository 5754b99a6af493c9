#pragma once

#include "broker/relay/client_check.h"
#include "broker/relay/locks.h"
#include "core/base/json.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker::relay {

/// The OpenAI Realtime protocol, both dialects.
class ClientMessageCheck final : public ClientCheck {
public:
    explicit ClientMessageCheck(Locks locks) : m_locks(std::move(locks)) {}

    [[nodiscard]] Verdict look(net::WebSocketMessage& message) override;
    /// An error event, as the provider would have said it.
    [[nodiscard]] std::optional<std::string> refusal(const Verdict& verdict) const override;
    void setBytesPerMillisecond(std::size_t bytes) override { m_bytesPerMillisecond = bytes; }

private:
    [[nodiscard]] Verdict lookAtChange(std::string_view text, std::string_view type) const;
    /// Nothing: it may pass. `prefix` is where the event has it.
    [[nodiscard]] std::optional<Verdict> lookAtItem(const core::Json& item, const std::string& prefix) const;
    /// A session's or a response's.
    [[nodiscard]] std::optional<Verdict> lookAtSettings(const core::Json& settings, const std::string& prefix) const;

    const Locks m_locks;
    std::size_t m_bytesPerMillisecond = 48;
};

} // namespace vivavoce::broker::relay
