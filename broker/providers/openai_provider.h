#pragma once

#include "broker/providers/profile.h"
#include "broker/providers/provider.h"
#include "core/base/http_headers.h"
#include "core/base/units.h"
#include "net/dial_memory.h"
#include "net/http_client.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// OpenAI Realtime (GA), and every server that speaks it or nearly: its profile says how it is asked.
class OpenAiProvider final : public Provider {
public:
    struct Settings {
        std::string name = "openai";
        Profile profile = openAiProfile();
        /// "https://api.openai.com"; the profile's root and slashes at its end are dropped.
        std::string baseUrl;
        std::string defaultModel;
        /// Those that it serves. None: whatever nobody else serves.
        std::vector<std::string> models{};
        core::Secret apiKey;
        core::Milliseconds timeout{10'000};
        /// Of a session's door in the relay; nothing: as with every other one.
        std::optional<core::Milliseconds> handshake{};
        std::string caFile;
    };

    explicit OpenAiProvider(Settings settings);

    [[nodiscard]] const std::string& name() const override { return m_settings.name; }
    [[nodiscard]] const std::string& defaultModel() const override { return m_settings.defaultModel; }
    [[nodiscard]] bool serves(const std::string& model) const override;
    [[nodiscard]] std::vector<std::string> models() const override { return m_settings.models; }
    [[nodiscard]] core::broker::ConnectInfo connect(const std::string& model) const override;
    [[nodiscard]] bool pins() const override { return m_settings.profile.pins; }
    [[nodiscard]] std::shared_ptr<const CredentialMask> mask() const override { return m_mask; }
    [[nodiscard]] std::optional<core::Milliseconds> handshakePatience() const override { return m_settings.handshake; }
    [[nodiscard]] net::Awaitable<core::Expected<MintedToken, core::Error>> mint(const MintOrder& order) override;
    [[nodiscard]] net::Awaitable<core::Expected<net::WebSocketRequest, core::Error>> opening(
        const MintOrder& order) override;
    /// Asks for the list of models; a server that has none is there all the same.
    [[nodiscard]] net::Awaitable<core::Expected<void, core::Error>> probe() override;

private:
    void addKey(core::HttpHeaders& headers) const;
    [[nodiscard]] net::ClientRequest request(const char* method, const char* path) const;

    const Settings m_settings;
    /// With the profile's root.
    std::string m_base;
    const std::shared_ptr<const CredentialMask> m_mask = CredentialMask::of(m_settings.apiKey.reveal());
    /// Of the ways to the provider's own sessions.
    const std::shared_ptr<net::DialMemory> m_dials = std::make_shared<net::DialMemory>();
};

} // namespace vivavoce::broker
