#pragma once

#include "broker/providers/credential_mask.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/secret.h"
#include "core/protocol/broker/messages.h"
#include "net/awaitable.h"
#include "net/websocket_client.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker {

struct MintOrder {
    std::string model;
    std::optional<std::string> voice;
    std::optional<std::string> instructions;
    std::chrono::seconds life{60};
    /// For how long the session that it opens may last, where the token bounds that, too.
    std::chrono::seconds sessionLife{86'400};
};

struct MintedToken {
    core::Secret value;
    /// As the provider's clock has it.
    core::WallTime expiresAt;
};

/// Port: who gives out short-lived tokens for a realtime endpoint. [any thread]
class Provider {
public:
    virtual ~Provider() = default;

    [[nodiscard]] virtual const std::string& name() const = 0;
    [[nodiscard]] virtual const std::string& defaultModel() const = 0;
    /// Whether a model is this provider's, by its name.
    [[nodiscard]] virtual bool serves(const std::string& model) const = 0;
    /// Those that it is known to serve; none: it does not say.
    [[nodiscard]] virtual std::vector<std::string> models() const { return {}; }
    /// Where a token for `model` opens a door.
    [[nodiscard]] virtual core::broker::ConnectInfo connect(const std::string& model) const = 0;
    /// Whether its tokens hold whoever bears them to an order. Where not, sessions go through the relay, and instructions cannot be fixed.
    [[nodiscard]] virtual bool pins() const = 0;
    /// Of the key that it is shown, for what it says. Never null.
    [[nodiscard]] virtual std::shared_ptr<const CredentialMask> mask() const = 0;
    /// How long the door of one of its sessions may take in the relay. Nothing: as with every other one.
    [[nodiscard]] virtual std::optional<core::Milliseconds> handshakePatience() const { return std::nullopt; }
    /// Errors: ProviderUnreachable, ProviderRefused (our key), BadUsage (the order), ProviderMalformed, ProviderFailed, ProviderQuota,
    /// RateLimited, Timeout.
    [[nodiscard]] virtual net::Awaitable<core::Expected<MintedToken, core::Error>> mint(const MintOrder& order) = 0;
    /// How the relay opens a session of its own (what becomes of the door itself: net::openWebSocket): the address and our credentials, with a token minted first where something is pinned that
    /// no address can say. Errors as of mint.
    [[nodiscard]] virtual net::Awaitable<core::Expected<net::WebSocketRequest, core::Error>> opening(
        const MintOrder& order) = 0;
    /// Whether it answers and takes our key, by a request that costs next to nothing. Errors as of mint.
    [[nodiscard]] virtual net::Awaitable<core::Expected<void, core::Error>> probe() = 0;
};

} // namespace vivavoce::broker
