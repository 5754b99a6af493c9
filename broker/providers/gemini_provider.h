#pragma once

#include "broker/providers/provider.h"
#include "core/base/clock.h"
#include "core/base/units.h"
#include "net/dial_memory.h"
#include "net/http_client.h"

#include <memory>
#include <string>

namespace vivavoce::broker {

/// Gemini Live: mints at `<base>/<version>/auth_tokens`. What the broker decides (model, instructions, voice) is pinned in the token, and
/// nothing else: a client sets the rest up itself.
class GeminiProvider final : public Provider {
public:
    struct Settings {
        /// "https://generativelanguage.googleapis.com"; slashes at its end are dropped.
        std::string baseUrl;
        /// Of tokens and sessions alike: "v1beta".
        std::string version;
        std::string defaultModel;
        core::Secret apiKey;
        core::Milliseconds timeout{10'000};
        std::string caFile;
    };

    GeminiProvider(Settings settings, const core::Clock& clock);

    [[nodiscard]] const std::string& name() const override { return m_name; }
    [[nodiscard]] const std::string& defaultModel() const override { return m_settings.defaultModel; }
    [[nodiscard]] bool serves(const std::string& model) const override;
    [[nodiscard]] core::broker::ConnectInfo connect(const std::string& model) const override;
    [[nodiscard]] bool pins() const override { return true; }
    [[nodiscard]] std::shared_ptr<const CredentialMask> mask() const override { return m_mask; }
    [[nodiscard]] net::Awaitable<core::Expected<MintedToken, core::Error>> mint(const MintOrder& order) override;
    [[nodiscard]] net::Awaitable<core::Expected<net::WebSocketRequest, core::Error>> opening(
        const MintOrder& order) override;
    [[nodiscard]] net::Awaitable<core::Expected<void, core::Error>> probe() override;

private:
    [[nodiscard]] std::string socketUrl(const char* method) const;
    [[nodiscard]] net::ClientRequest request(const char* method, const std::string& path) const;

    const std::string m_name = "gemini";
    const Settings m_settings;
    std::string m_base;
    const core::Clock& m_clock;
    const std::shared_ptr<const CredentialMask> m_mask = CredentialMask::of(m_settings.apiKey.reveal());
    /// Of the ways to the provider's own sessions.
    const std::shared_ptr<net::DialMemory> m_dials = std::make_shared<net::DialMemory>();
};

} // namespace vivavoce::broker
