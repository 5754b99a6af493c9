#pragma once

#include "core/base/expected.h"
#include "core/base/secret.h"
#include "core/protocol/openai/protocol_error.h"
#include "core/protocol/openai/session_config.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The mint of short-lived credentials: POST /v1/realtime/client_secrets (OpenAI Realtime GA). Pure. [any thread]
namespace vivavoce::core::openai {

struct ClientSecretRequest {
    /// 10 to 7200; nothing: the server's default (600).
    std::optional<std::int64_t> expiresAfterSeconds;
    std::optional<Session> session;
};

struct ClientSecret {
    /// "ek_…".
    Secret value;
    /// Unix seconds. Gates connecting only: a session that runs survives it.
    std::int64_t expiresAt = 0;
    /// Nothing where a compatible server does not tell it.
    std::optional<Session> session;
};

[[nodiscard]] std::string encode(const ClientSecretRequest& request);
/// Strict, as a server reads.
[[nodiscard]] Expected<ClientSecretRequest, ProtocolError> decodeClientSecretRequest(std::string_view text);

/// The text holds the secret: wipe it (wipeString) when it is sent.
[[nodiscard]] std::string encode(const ClientSecret& secret);
/// Lenient, as a client reads. Wiping `text` is the caller's task.
[[nodiscard]] Expected<ClientSecret, ProtocolError> decodeClientSecret(std::string_view text);

} // namespace vivavoce::core::openai
