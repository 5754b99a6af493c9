#pragma once

#include "broker/auth/hmac_key.h"
#include "core/base/base64.h"
#include "core/base/expected.h"
#include "core/base/json.h"
#include "core/base/secret.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;

namespace vivavoce::broker::auth {

class GoodSignatures;

/// What we verify and sign with (RFC 7518 §3, RFC 8037 §3.1). `none` is not among them.
enum class JoseAlgorithm { Hs256, Rs256, Es256, EdDsa };

/// By its registered name, letter case included; nothing for any other.
[[nodiscard]] std::optional<JoseAlgorithm> joseAlgorithm(std::string_view name);
[[nodiscard]] std::string_view joseName(JoseAlgorithm algorithm);

/// Why a key is not one of ours.
enum class KeyFault {
    /// Not a key, or not the right kind of members.
    Malformed,
    /// Another type, curve, algorithm, or meant for something else than signatures.
    Unsupported,
    /// Too short, a public exponent of 1, or a modulus of a broken generator (ROCA).
    Weak,
};

/// A key that verifies signatures, with the one algorithm that it is used with: never the one that a token names (RFC 8725 §3.1).
/// Threads: [any thread].
class JsonWebKey {
public:
    /// RFC 7517. Without `alg` the type decides; a symmetric key has to name it.
    [[nodiscard]] static core::Expected<JsonWebKey, KeyFault> read(const core::Json& jwk);
    /// For HS256; at least 32 bytes (RFC 7518 §3.2), else Weak.
    [[nodiscard]] static core::Expected<JsonWebKey, KeyFault> fromSecret(std::string kid, const core::Secret& secret);

    [[nodiscard]] const std::string& kid() const { return m_kid; }
    [[nodiscard]] JoseAlgorithm algorithm() const { return m_algorithm; }
    [[nodiscard]] bool isSymmetric() const { return m_algorithm == JoseAlgorithm::Hs256; }

    /// Remembers what it has found good.
    [[nodiscard]] bool verifies(std::string_view message, std::span<const std::uint8_t> signature) const;

private:
    JsonWebKey(std::string kid, JoseAlgorithm algorithm) : m_kid(std::move(kid)), m_algorithm(algorithm) {}
    [[nodiscard]] bool verifiesHmac(std::string_view message, std::span<const std::uint8_t> signature) const;
    [[nodiscard]] bool verifiesAnew(std::string_view message, std::span<const std::uint8_t> signature) const;

    std::string m_kid;
    JoseAlgorithm m_algorithm;
    /// Of the one kind of key or the other.
    std::optional<HmacKey> m_secret;
    std::shared_ptr<evp_pkey_st> m_publicKey;
    /// Goes with the key: what one that is no longer published has signed is verified by nobody.
    std::shared_ptr<GoodSignatures> m_good;
};

/// Why a set of keys is not taken as a whole.
enum class KeySetFault {
    Malformed,
    /// Two keys of one name: which of them was meant is anybody's guess.
    DuplicateKid,
    /// Symmetric and public keys together: the way to forge one with the other.
    Mixed,
};

/// The keys of one issuer (RFC 7517 §5). Keys that we cannot or will not use are left out.
class JsonWebKeySet {
public:
    [[nodiscard]] static core::Expected<JsonWebKeySet, KeySetFault> read(const core::Json& set);
    explicit JsonWebKeySet(std::vector<JsonWebKey> keys) : m_keys(std::move(keys)) {}

    /// The key of that name and algorithm. Without a name: the only key of that algorithm, if there is just one.
    [[nodiscard]] const JsonWebKey* find(std::string_view kid, JoseAlgorithm algorithm) const;
    [[nodiscard]] bool has(std::string_view kid) const;
    [[nodiscard]] std::size_t size() const { return m_keys.size(); }

private:
    std::vector<JsonWebKey> m_keys;
};

} // namespace vivavoce::broker::auth
