#pragma once

#include "broker/auth/json_web_key.h"

#include <memory>
#include <string>
#include <string_view>

namespace vivavoce::broker::auth {

/// A key that signs what we issue: HS256 from a secret, ES256 or EdDSA from a private key.
/// Threads: [any thread].
class SigningKey {
public:
    /// Weak: shorter than 32 bytes (RFC 7518 §3.2).
    [[nodiscard]] static core::Expected<SigningKey, KeyFault> fromSecret(const core::Secret& secret);
    /// PKCS #8 without a passphrase: P-256 or Ed25519. Unsupported: any other.
    [[nodiscard]] static core::Expected<SigningKey, KeyFault> fromPem(const core::Secret& pem);
    /// A new one, for ES256 or EdDSA.
    [[nodiscard]] static core::Expected<SigningKey, KeyFault> generate(JoseAlgorithm algorithm);

    /// Made of the key itself, so that it changes with the key: the thumbprint of RFC 7638, for a secret a hash that tells nothing of it.
    [[nodiscard]] const std::string& kid() const { return m_kid; }
    [[nodiscard]] JoseAlgorithm algorithm() const { return m_algorithm; }

    /// A JWS in compact form (RFC 7515 §7.1) over those claims, with `alg`, `kid` and `typ` in its header. Throws std::runtime_error where
    /// OpenSSL fails, which it does only for want of memory.
    [[nodiscard]] core::Secret sign(std::string_view type, const core::Json& claims) const;
    /// What verifies it.
    [[nodiscard]] JsonWebKey verifier() const;
    /// RFC 7517, to be published; null for a secret.
    [[nodiscard]] core::Json publicJwk() const;

private:
    SigningKey() = default;
    [[nodiscard]] static core::Expected<SigningKey, KeyFault> ofPrivate(std::shared_ptr<evp_pkey_st> key);
    [[nodiscard]] core::Bytes signatureOf(std::string_view message) const;

    std::string m_kid;
    JoseAlgorithm m_algorithm = JoseAlgorithm::Hs256;
    std::shared_ptr<const core::Secret> m_secret;
    /// Of the secret.
    std::optional<HmacKey> m_hmac;
    std::shared_ptr<evp_pkey_st> m_privateKey;
};

} // namespace vivavoce::broker::auth
