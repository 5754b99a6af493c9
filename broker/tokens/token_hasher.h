#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace vivavoce::broker {

using TokenHash = std::array<std::uint8_t, 32>;

/// For tables keyed by a hash that nobody outside can choose.
struct TokenHashBucket {
    std::size_t operator()(const TokenHash& hash) const noexcept
    {
        std::size_t bucket = 0;
        std::memcpy(&bucket, hash.data(), sizeof bucket);
        return bucket;
    }
};

/// HMAC-SHA256 with a random key of this process: what the registry knows tokens by. [any thread]
class TokenHasher {
public:
    TokenHasher();
    ~TokenHasher();
    TokenHasher(const TokenHasher&) = delete;
    TokenHasher& operator=(const TokenHasher&) = delete;

    [[nodiscard]] TokenHash hash(std::string_view token) const;

private:
    std::array<std::uint8_t, 32> m_key{};
};

/// "voice_<unix seconds>_<128 random bits, base64url>".
[[nodiscard]] std::string makeSessionId(std::int64_t unixSeconds);

} // namespace vivavoce::broker
