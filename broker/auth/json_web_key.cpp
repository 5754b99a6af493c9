#include "broker/auth/json_web_key.h"

#include "broker/auth/internal/good_signatures.h"
#include "broker/auth/internal/openssl_keys.h"

#include <nlohmann/json.hpp>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>

namespace vivavoce::broker::auth {
namespace {

using core::Json;

struct AlgorithmRow {
    JoseAlgorithm algorithm;
    std::string_view name;
    std::string_view keyType;
};
constexpr std::array kAlgorithms{
    AlgorithmRow{JoseAlgorithm::Hs256, "HS256", "oct"},
    AlgorithmRow{JoseAlgorithm::Rs256, "RS256", "RSA"},
    AlgorithmRow{JoseAlgorithm::Es256, "ES256", "EC"},
    AlgorithmRow{JoseAlgorithm::EdDsa, "EdDSA", "OKP"},
};

constexpr std::size_t kLongestKid = 128;
constexpr std::size_t kShortestSecret = 32;
/// More than any issuer has; each costs a parse of foreign numbers.
constexpr std::size_t kMostKeys = 100;

core::Unexpected<KeyFault> fail(KeyFault fault)
{
    return core::Unexpected<KeyFault>(fault);
}

std::optional<std::string> text(const Json& object, const char* name)
{
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
}

std::optional<core::Bytes> bytes(const Json& object, const char* name)
{
    const auto encoded = text(object, name);
    return encoded ? core::decodeBase64Url(*encoded) : std::nullopt;
}

/// RFC 7517 §4.2, §4.3: what the key is for, where it says so.
bool isForSignatures(const Json& jwk)
{
    if (jwk.contains("use") && text(jwk, "use") != "sig") {
        return false;
    }
    const auto operations = jwk.find("key_ops");
    return operations == jwk.end()
        || (operations->is_array() && std::find(operations->begin(), operations->end(), "verify") != operations->end());
}

/// RFC 7518 §6.2.1, RFC 8037 §2: the curve that goes with the algorithm.
bool hasItsCurve(const Json& jwk, JoseAlgorithm algorithm)
{
    switch (algorithm) {
    case JoseAlgorithm::Es256:
        return text(jwk, "crv") == "P-256";
    case JoseAlgorithm::EdDsa:
        return text(jwk, "crv") == "Ed25519";
    default:
        return true;
    }
}

std::optional<JoseAlgorithm> algorithmOf(const Json& jwk)
{
    const auto type = text(jwk, "kty");
    const auto named = text(jwk, "alg");
    const auto* const row = std::find_if(kAlgorithms.begin(), kAlgorithms.end(),
        [&](const AlgorithmRow& candidate) { return type == candidate.keyType; });
    const bool saysOtherwise = jwk.contains("alg") && (row == kAlgorithms.end() || named != row->name);
    if (row == kAlgorithms.end() || saysOtherwise || (row->algorithm == JoseAlgorithm::Hs256 && !named)
        || !hasItsCurve(jwk, row->algorithm)) {
        return std::nullopt;
    }
    return row->algorithm;
}

core::Expected<PublicKey, KeyFault> publicKey(const Json& jwk, JoseAlgorithm algorithm)
{
    switch (algorithm) {
    case JoseAlgorithm::Rs256: {
        const auto modulus = bytes(jwk, "n");
        const auto exponent = bytes(jwk, "e");
        return modulus && exponent ? rsaPublicKey(*modulus, *exponent) : fail(KeyFault::Malformed);
    }
    case JoseAlgorithm::Es256: {
        const auto x = bytes(jwk, "x");
        const auto y = bytes(jwk, "y");
        return x && y ? p256PublicKey(*x, *y) : fail(KeyFault::Malformed);
    }
    default: {
        const auto x = bytes(jwk, "x");
        return x ? ed25519PublicKey(*x) : fail(KeyFault::Malformed);
    }
    }
}

} // namespace

std::optional<JoseAlgorithm> joseAlgorithm(std::string_view name)
{
    const auto* const row = std::find_if(
        kAlgorithms.begin(), kAlgorithms.end(), [&](const AlgorithmRow& candidate) { return candidate.name == name; });
    return row == kAlgorithms.end() ? std::nullopt : std::optional(row->algorithm);
}

std::string_view joseName(JoseAlgorithm algorithm)
{
    return std::find_if(kAlgorithms.begin(), kAlgorithms.end(), [&](const AlgorithmRow& candidate) {
        return candidate.algorithm == algorithm;
    })->name;
}

core::Expected<JsonWebKey, KeyFault> JsonWebKey::read(const Json& jwk)
{
    if (!jwk.is_object() || (jwk.contains("kid") && text(jwk, "kid").value_or("").empty())) {
        return fail(KeyFault::Malformed);
    }
    std::string kid = text(jwk, "kid").value_or("");
    const auto algorithm = algorithmOf(jwk);
    if (!algorithm || !isForSignatures(jwk) || kid.size() > kLongestKid) {
        return fail(KeyFault::Unsupported);
    }
    if (*algorithm == JoseAlgorithm::Hs256) {
        auto raw = bytes(jwk, "k");
        if (!raw) {
            return fail(KeyFault::Malformed);
        }
        const core::Secret secret(
            std::string_view(static_cast<const char*>(static_cast<const void*>(raw->data())), raw->size()));
        core::Secret::wipe(raw->data(), raw->size());
        return fromSecret(std::move(kid), secret);
    }
    auto made = publicKey(jwk, *algorithm);
    if (!made) {
        return fail(made.error());
    }
    JsonWebKey key(std::move(kid), *algorithm);
    key.m_publicKey = std::move(*made);
    key.m_good = std::make_shared<GoodSignatures>();
    return key;
}

core::Expected<JsonWebKey, KeyFault> JsonWebKey::fromSecret(std::string kid, const core::Secret& secret)
{
    if (secret.reveal().size() < kShortestSecret) {
        return fail(KeyFault::Weak);
    }
    JsonWebKey key(std::move(kid), JoseAlgorithm::Hs256);
    key.m_secret.emplace(secret.reveal());
    return key;
}

bool JsonWebKey::verifies(std::string_view message, std::span<const std::uint8_t> signature) const
{
    if (isSymmetric()) {
        return verifiesHmac(message, signature);
    }
    const auto mark = GoodSignatures::markOf(message, signature);
    if (m_good->has(mark)) {
        return true;
    }
    if (!verifiesAnew(message, signature)) {
        return false;
    }
    m_good->add(mark);
    return true;
}

bool JsonWebKey::verifiesAnew(std::string_view message, std::span<const std::uint8_t> signature) const
{
    switch (m_algorithm) {
    case JoseAlgorithm::Rs256:
        return verifiesDigest(*m_publicKey, "SHA256", message, signature);
    case JoseAlgorithm::Es256: {
        const auto der = derOfRawEcdsa(signature);
        return der && verifiesDigest(*m_publicKey, "SHA256", message, *der);
    }
    case JoseAlgorithm::EdDsa:
        // It hashes by itself.
        return verifiesDigest(*m_publicKey, nullptr, message, signature);
    case JoseAlgorithm::Hs256:
        break;
    }
    return false;
}

bool JsonWebKey::verifiesHmac(std::string_view message, std::span<const std::uint8_t> signature) const
{
    const auto expected = m_secret->digest(message);
    return signature.size() == expected.size()
        && CRYPTO_memcmp(expected.data(), signature.data(), expected.size()) == 0;
}

core::Expected<JsonWebKeySet, KeySetFault> JsonWebKeySet::read(const Json& set)
{
    const auto keys = set.is_object() ? set.find("keys") : set.end();
    if (keys == set.end() || !keys->is_array() || keys->size() > kMostKeys) {
        return core::Unexpected<KeySetFault>(KeySetFault::Malformed);
    }
    std::vector<JsonWebKey> usable;
    bool hasSymmetric = false;
    bool hasPublic = false;
    for (auto entry = keys->begin(); entry != keys->end(); ++entry) {
        if (!entry->is_object()) {
            return core::Unexpected<KeySetFault>(KeySetFault::Malformed);
        }
        const auto kid = text(*entry, "kid");
        const bool isTwice =
            kid && std::any_of(keys->begin(), entry, [&](const Json& other) { return text(other, "kid") == kid; });
        if (isTwice) {
            return core::Unexpected<KeySetFault>(KeySetFault::DuplicateKid);
        }
        const bool isSymmetric = text(*entry, "kty") == "oct";
        hasSymmetric = hasSymmetric || isSymmetric;
        hasPublic = hasPublic || !isSymmetric;
        if (auto key = JsonWebKey::read(*entry)) {
            usable.push_back(std::move(*key));
        }
    }
    if (hasSymmetric && hasPublic) {
        return core::Unexpected<KeySetFault>(KeySetFault::Mixed);
    }
    return JsonWebKeySet(std::move(usable));
}

const JsonWebKey* JsonWebKeySet::find(std::string_view kid, JoseAlgorithm algorithm) const
{
    const JsonWebKey* only = nullptr;
    for (const JsonWebKey& key : m_keys) {
        if (key.algorithm() != algorithm || (!kid.empty() && key.kid() != kid)) {
            continue;
        }
        if (only != nullptr) {
            return nullptr;
        }
        only = &key;
    }
    return only;
}

bool JsonWebKeySet::has(std::string_view kid) const
{
    return std::any_of(m_keys.begin(), m_keys.end(), [&](const JsonWebKey& key) { return key.kid() == kid; });
}

} // namespace vivavoce::broker::auth
