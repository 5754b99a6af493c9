#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

struct evp_mac_ctx_st;

namespace vivavoce::broker::auth {

/// A key for HMAC-SHA256 (RFC 2104), made ready once: looking the algorithm up costs OpenSSL many times what a digest does.
/// Its bytes are in OpenSSL's memory, and overwritten at its end.
/// Threads: [any thread].
class HmacKey {
public:
    using Digest = std::array<std::uint8_t, 32>;

    explicit HmacKey(std::string_view key);
    [[nodiscard]] Digest digest(std::string_view message) const;

private:
    std::shared_ptr<evp_mac_ctx_st> m_ready;
};

} // namespace vivavoce::broker::auth
