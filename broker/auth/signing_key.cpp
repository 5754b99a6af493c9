#include "broker/auth/signing_key.h"

#include "broker/auth/internal/openssl_keys.h"

#include <nlohmann/json.hpp>
#include <openssl/sha.h>

#include <array>
#include <stdexcept>

namespace vivavoce::broker::auth {
namespace {

using core::Json;

constexpr std::string_view kSecretLabel = "vivavoce kid";

core::Bytes bytesOf(std::string_view text)
{
    return {text.begin(), text.end()};
}

/// RFC 7638 §3: the members that make the key, by name, without white space.
std::string thumbprint(const Json& jwk)
{
    const std::string text = jwk.dump();
    const core::Bytes bytes = bytesOf(text);
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> hash{};
    SHA256(bytes.data(), bytes.size(), hash.data());
    return core::encodeBase64Url(hash);
}

/// The members that make a public key (RFC 7638 §3.2); nothing for one that we do not sign with.
std::optional<Json> requiredMembers(evp_pkey_st& key)
{
    if (isEd25519(key)) {
        const auto x = rawPublicKey(key);
        return Json{{"crv", "Ed25519"}, {"kty", "OKP"}, {"x", core::encodeBase64Url(x)}};
    }
    if (const auto point = p256Point(key)) {
        return Json{{"crv", "P-256"}, {"kty", "EC"}, {"x", core::encodeBase64Url(point->x)},
            {"y", core::encodeBase64Url(point->y)}};
    }
    return std::nullopt;
}

} // namespace

core::Expected<SigningKey, KeyFault> SigningKey::fromSecret(const core::Secret& secret)
{
    if (auto usable = JsonWebKey::fromSecret({}, secret); !usable) {
        return core::Unexpected<KeyFault>(usable.error());
    }
    SigningKey key;
    key.m_hmac.emplace(secret.reveal());
    const auto label = key.m_hmac->digest(kSecretLabel);
    constexpr std::size_t kLabelBytes = 12;
    key.m_kid = core::encodeBase64Url(core::Bytes(label.begin(), label.begin() + kLabelBytes));
    key.m_secret = std::make_shared<const core::Secret>(secret.reveal());
    return key;
}

core::Expected<SigningKey, KeyFault> SigningKey::fromPem(const core::Secret& pem)
{
    auto key = privateKeyOfPem(pem.reveal());
    return key == nullptr ? core::Unexpected<KeyFault>(KeyFault::Malformed) : ofPrivate(std::move(key));
}

core::Expected<SigningKey, KeyFault> SigningKey::generate(JoseAlgorithm algorithm)
{
    auto key = generatePrivateKey(algorithm);
    return key == nullptr ? core::Unexpected<KeyFault>(KeyFault::Unsupported) : ofPrivate(std::move(key));
}

core::Expected<SigningKey, KeyFault> SigningKey::ofPrivate(std::shared_ptr<evp_pkey_st> privateKey)
{
    const auto members = requiredMembers(*privateKey);
    if (!members) {
        return core::Unexpected<KeyFault>(KeyFault::Unsupported);
    }
    SigningKey key;
    key.m_kid = thumbprint(*members);
    key.m_algorithm = members->contains("y") ? JoseAlgorithm::Es256 : JoseAlgorithm::EdDsa;
    key.m_privateKey = std::move(privateKey);
    return key;
}

core::Bytes SigningKey::signatureOf(std::string_view message) const
{
    if (m_algorithm == JoseAlgorithm::Hs256) {
        const auto digest = m_hmac->digest(message);
        return {digest.begin(), digest.end()};
    }
    const bool isEcdsa = m_algorithm == JoseAlgorithm::Es256;
    auto signature = signDigest(*m_privateKey, isEcdsa ? "SHA256" : nullptr, message);
    if (signature && isEcdsa) {
        signature = rawOfDerEcdsa(*signature);
    }
    if (!signature) {
        throw std::runtime_error("no signature could be made");
    }
    return std::move(*signature);
}

core::Secret SigningKey::sign(std::string_view type, const Json& claims) const
{
    const Json header{{"alg", joseName(m_algorithm)}, {"kid", m_kid}, {"typ", type}};
    std::string token = core::encodeBase64Url(bytesOf(core::writeJson(header))) + "."
        + core::encodeBase64Url(bytesOf(core::writeJson(claims)));
    token += "." + core::encodeBase64Url(signatureOf(token));
    core::Secret whole(token);
    core::wipeString(token);
    return whole;
}

JsonWebKey SigningKey::verifier() const
{
    auto key = m_secret != nullptr ? JsonWebKey::fromSecret(m_kid, *m_secret) : JsonWebKey::read(publicJwk());
    if (!key) {
        throw std::logic_error("a key that signs does not verify");
    }
    return std::move(*key);
}

Json SigningKey::publicJwk() const
{
    if (m_privateKey == nullptr) {
        return nullptr;
    }
    Json jwk = requiredMembers(*m_privateKey).value_or(Json::object());
    jwk["kid"] = m_kid;
    jwk["alg"] = joseName(m_algorithm);
    jwk["use"] = "sig";
    return jwk;
}

} // namespace vivavoce::broker::auth
