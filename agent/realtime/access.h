#pragma once

#include "agent/realtime/client_secrets.h"
#include "agent/realtime/event_fault.h"
#include "agent/realtime/session_settings.h"
#include "core/base/expected.h"
#include "core/base/secret.h"
#include "net/http_message.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace vivavoce::agent::realtime {

/// Who may come in, and with which settings.
/// With a credential: it, or a live client secret. Without one: any bearer from loopback (but a client secret must still be
/// alive), and from no web page of another host, since any page may dial loopback.
/// Threads: [any thread].
class Access {
public:
    /// An empty credential: none was given.
    Access(core::Secret credential, ClientSecrets& secrets) : m_credential(std::move(credential)), m_secrets(secrets) {}

    /// A refusal of a WebSocket, as OpenAI tells it after the handshake.
    struct Refusal {
        EventFault fault;
        std::uint16_t closeCode = 3000;
    };

    /// May the sender of this request mint secrets? Only by API credential.
    [[nodiscard]] bool mayMint(const net::HttpRequest& request) const;
    /// The settings that a WebSocket request starts with. `sessionId` and `expiresAt` (Unix seconds) are those of the session.
    [[nodiscard]] core::Expected<SessionSettings, Refusal> admit(
        const net::HttpRequest& request, const std::string& sessionId, std::int64_t expiresAt) const;

private:
    [[nodiscard]] bool isCredential(std::string_view bearer, const net::HttpRequest& request) const;

    const core::Secret m_credential;
    ClientSecrets& m_secrets;
};

/// Whether the client offered the subprotocol "realtime".
[[nodiscard]] bool offersRealtime(const net::HttpRequest& request);

} // namespace vivavoce::agent::realtime
