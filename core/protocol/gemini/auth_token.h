#pragma once

#include "core/base/clock.h"
#include "core/base/expected.h"
#include "core/base/secret.h"
#include "core/protocol/gemini/codec.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The mint of ephemeral tokens: POST <version>/auth_tokens. Pure. [any thread]
namespace vivavoce::core::gemini {

struct AuthTokenRequest {
    /// Sessions that it opens; resuming one is none. 0: any number. Nothing: one.
    std::optional<std::int64_t> uses;
    /// RFC 3339. After it the session itself may be ended.
    std::optional<std::string> expireTime;
    /// After it no session is opened any more.
    std::optional<std::string> newSessionExpireTime;
    /// What is pinned.
    std::optional<Setup> setup;
    /// Paths of what is pinned, separated by commas. Without it all of the setup is, also what it does not say.
    std::optional<std::string> fieldMask;
};

struct AuthToken {
    /// "auth_tokens/…".
    Secret name;
};

[[nodiscard]] std::string encode(const AuthTokenRequest& request);
/// Strict, as a server reads.
[[nodiscard]] Expected<AuthTokenRequest, ProtocolError> decodeAuthTokenRequest(std::string_view text);
/// Lenient, as a client reads. Wiping `text` is the caller's task.
[[nodiscard]] Expected<AuthToken, ProtocolError> decodeAuthToken(std::string_view text);

} // namespace vivavoce::core::gemini
