#pragma once

#include "core/base/secret.h"

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace vivavoce::core {

/// SHA-256 (FIPS 180-4), which core has not got itself. Pure. [any thread]
using Sha256 = std::function<std::array<std::uint8_t, 32>(std::string_view)>;

/// PKCE (RFC 7636): whoever catches the code on its way has no use for it without the verifier.
struct ProofKey {
    /// 44 unreserved characters, 256 random bits.
    Secret verifier;
    /// Of the method S256, the only one there is here.
    std::string challenge;
};

/// Another one each time.
[[nodiscard]] ProofKey makeProofKey(const Sha256& sha256);
/// BASE64URL(SHA256(verifier)), RFC 7636 §4.2.
[[nodiscard]] std::string proofChallenge(std::string_view verifier, const Sha256& sha256);

} // namespace vivavoce::core
