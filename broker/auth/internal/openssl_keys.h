#pragma once

#include "broker/auth/json_web_key.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace vivavoce::broker::auth {

using PublicKey = std::shared_ptr<evp_pkey_st>;

/// Public keys from their numbers, big endian. Malformed: not a point of the curve, not a number. Weak: KeyFault.
[[nodiscard]] core::Expected<PublicKey, KeyFault> rsaPublicKey(
    std::span<const std::uint8_t> modulus, std::span<const std::uint8_t> exponent);
[[nodiscard]] core::Expected<PublicKey, KeyFault> p256PublicKey(
    std::span<const std::uint8_t> x, std::span<const std::uint8_t> y);
[[nodiscard]] core::Expected<PublicKey, KeyFault> ed25519PublicKey(std::span<const std::uint8_t> x);

/// r and s of 32 bytes each (RFC 7518 §3.4), as OpenSSL wants them; nothing for another length.
[[nodiscard]] std::optional<core::Bytes> derOfRawEcdsa(std::span<const std::uint8_t> raw);

/// And back; nothing for what is no such signature.
[[nodiscard]] std::optional<core::Bytes> rawOfDerEcdsa(std::span<const std::uint8_t> der);

using PrivateKey = std::shared_ptr<evp_pkey_st>;

/// PKCS #8 in PEM, without a passphrase; null for anything else.
[[nodiscard]] PrivateKey privateKeyOfPem(std::string_view pem);
/// ES256 and EdDSA; null for others.
[[nodiscard]] PrivateKey generatePrivateKey(JoseAlgorithm algorithm);

struct Point {
    core::Bytes x;
    core::Bytes y;
};
/// The public part of a P-256 key; nothing for any other key.
[[nodiscard]] std::optional<Point> p256Point(evp_pkey_st& key);
[[nodiscard]] bool isEd25519(evp_pkey_st& key);
[[nodiscard]] core::Bytes rawPublicKey(evp_pkey_st& key);

/// Nothing where OpenSSL fails.
[[nodiscard]] std::optional<core::Bytes> signDigest(evp_pkey_st& key, const char* digest, std::string_view message);

/// `digest` is null for algorithms that hash by themselves.
[[nodiscard]] bool verifiesDigest(
    evp_pkey_st& key, const char* digest, std::string_view message, std::span<const std::uint8_t> signature);

} // namespace vivavoce::broker::auth
