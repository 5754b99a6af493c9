#pragma once

#include "broker/auth/signing_key.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::tests {

/// An RSA key of the test's own, which signs whatever it is told to.
class RsaKey {
public:
    RsaKey();
    [[nodiscard]] core::Json publicJwk(const std::string& kid) const;
    /// SubjectPublicKeyInfo, as operators have it in files.
    [[nodiscard]] std::string publicPem() const;
    /// RSASSA-PKCS1-v1_5 with SHA-256, base64url.
    [[nodiscard]] std::string sign(std::string_view message) const;

private:
    std::shared_ptr<evp_pkey_st> m_key;
};

/// base64url without padding.
[[nodiscard]] std::string encoded(std::string_view text);
/// HMAC-SHA256, base64url.
[[nodiscard]] std::string hmac(std::string_view message, std::string_view key);

/// A token that must open nothing.
struct HostileToken {
    const char* name;
    std::string token;
};

/// What the forger knows and wants.
struct Forgery {
    /// The issuer's own, RS256, kid "r": what a careless issuer would sign for anybody.
    const RsaKey& issuerKey;
    /// The issuer's other one, ES256.
    const broker::auth::SigningKey& issuerEcKey;
    /// All that a good token needs.
    core::Json claims;
    /// Where a key could be had, if somebody looked.
    std::string trapUrl;
};

/// The attacks of RFC 8725 §2 and their kin.
[[nodiscard]] std::vector<HostileToken> hostileTokens(const Forgery& forgery);

} // namespace vivavoce::tests
