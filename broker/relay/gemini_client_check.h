#pragma once

#include "broker/relay/client_check.h"
#include "broker/relay/locks.h"
#include "core/base/json.h"

#include <optional>
#include <string>
#include <utility>

namespace vivavoce::broker::relay {

/// Gemini Live. A session is set up once, and so the locks are held against its setup; what follows is read for what it asks for, and for the
/// sound in it. There is no word for a refusal: whoever says what is not allowed has their stream ended.
class GeminiClientCheck final : public ClientCheck {
public:
    explicit GeminiClientCheck(Locks locks) : m_locks(std::move(locks)) {}

    [[nodiscard]] Verdict look(net::WebSocketMessage& message) override;
    [[nodiscard]] std::optional<std::string> refusal(const Verdict& /*verdict*/) const override { return std::nullopt; }

private:
    [[nodiscard]] Verdict lookAtSetup(const core::Json& setup);
    [[nodiscard]] Verdict lookAtContent(const core::Json& content);

    const Locks m_locks;
    bool m_isSetUp = false;
    /// The first clientContent is history, which nobody answers.
    bool m_takesHistory = false;
};

} // namespace vivavoce::broker::relay
