#pragma once

#include "broker/auth/hmac_key.h"
#include "core/base/secret.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker {

using TokenHash = std::array<std::uint8_t, 32>;
/// What one token may be known by, the likeliest first.
using TokenHashes = std::vector<TokenHash>;

/// For tables keyed by a hash that nobody outside can choose.
struct TokenHashBucket {
    std::size_t operator()(const TokenHash& hash) const noexcept
    {
        std::size_t bucket = 0;
        std::memcpy(&bucket, hash.data(), sizeof bucket);
        return bucket;
    }
};

/// HMAC-SHA256: what registry and audit know tokens by. [any thread]
class TokenHasher {
public:
    /// With a random key of this process.
    TokenHasher();
    /// With a key made of the brokers' common secret: the same hashes after a restart, and at another broker.
    explicit TokenHasher(const core::Secret& secret);
    /// The same as `present`, and besides it what was hashed with the secret before. That may be empty: then there was none.
    TokenHasher(const TokenHasher& present, const core::Secret& former);
    TokenHasher(const TokenHasher&) = delete;
    TokenHasher& operator=(const TokenHasher&) = delete;

    /// What a new token gets.
    [[nodiscard]] TokenHash hash(std::string_view token) const;
    /// What to look for where a token comes back: while a secret is rotated it may have its hash from before.
    [[nodiscard]] TokenHashes hashes(std::string_view token) const;

private:
    auth::HmacKey m_key;
    std::optional<auth::HmacKey> m_formerKey;
};

/// In lower-case hexadecimal digits.
[[nodiscard]] std::string hexOf(const TokenHash& hash);

/// 128 random bits, base64url.
[[nodiscard]] std::string randomId();

/// "voice_<unix seconds>_<128 random bits, base64url>".
[[nodiscard]] std::string makeSessionId(std::int64_t unixSeconds);
/// Of that form; there need not be such a session.
[[nodiscard]] bool isSessionId(std::string_view text);

} // namespace vivavoce::broker
