#pragma once

#include "broker/providers/provider.h"
#include "core/base/units.h"
#include "net/dial_memory.h"
#include "net/http_client.h"

#include <memory>
#include <string>

namespace vivavoce::broker {

/// OpenAI Realtime (GA) and every server that speaks it, by base URL: mints at `<base>/v1/realtime/client_secrets`.
class OpenAiProvider final : public Provider {
public:
    struct Settings {
        std::string name = "openai";
        /// "https://api.openai.com"; one "/v1" or slashes at its end are dropped.
        std::string baseUrl;
        std::string defaultModel;
        core::Secret apiKey;
        core::Milliseconds timeout{10'000};
        std::string caFile;
    };

    explicit OpenAiProvider(Settings settings);

    [[nodiscard]] const std::string& name() const override { return m_settings.name; }
    [[nodiscard]] const std::string& defaultModel() const override { return m_settings.defaultModel; }
    /// Whatever nobody else serves.
    [[nodiscard]] bool serves(const std::string& /*model*/) const override { return true; }
    [[nodiscard]] core::broker::ConnectInfo connect(const std::string& model) const override;
    [[nodiscard]] net::Awaitable<core::Expected<MintedToken, core::Error>> mint(const MintOrder& order) override;
    [[nodiscard]] net::Awaitable<core::Expected<net::WebSocketRequest, core::Error>> opening(
        const MintOrder& order) override;
    /// Asks for the list of models; a server that has none is there all the same.
    [[nodiscard]] net::Awaitable<core::Expected<void, core::Error>> probe() override;

private:
    [[nodiscard]] net::ClientRequest request(const char* method, const char* path) const;

    const Settings m_settings;
    std::string m_base;
    /// Of the ways to the provider's own sessions.
    const std::shared_ptr<net::DialMemory> m_dials = std::make_shared<net::DialMemory>();
};

} // namespace vivavoce::broker
