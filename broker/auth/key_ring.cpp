#include "broker/auth/key_ring.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::broker::auth {

KeyRing::KeyRing(std::vector<SigningKey> keys, JsonWebKeySet verifiers)
    : m_keys(std::move(keys)), m_verifiers(std::move(verifiers))
{
}

core::Expected<KeyRing, core::Error> KeyRing::create(std::vector<SigningKey> keys)
{
    if (keys.empty()) {
        return core::fail(core::ErrorCode::BadConfiguration, "there is no key to sign tokens with");
    }
    const bool isSecret = keys.front().algorithm() == JoseAlgorithm::Hs256;
    std::vector<JsonWebKey> verifiers;
    for (const SigningKey& key : keys) {
        if ((key.algorithm() == JoseAlgorithm::Hs256) != isSecret) {
            return core::fail(
                core::ErrorCode::BadConfiguration, "secrets and private keys cannot sign beside each other");
        }
        for (const JsonWebKey& other : verifiers) {
            if (other.kid() == key.kid()) {
                return core::fail(core::ErrorCode::BadConfiguration, "the same key is there twice");
            }
        }
        verifiers.push_back(key.verifier());
    }
    return KeyRing(std::move(keys), JsonWebKeySet(std::move(verifiers)));
}

core::Json KeyRing::published() const
{
    core::Json keys = core::Json::array();
    for (const SigningKey& key : m_keys) {
        if (key.algorithm() != JoseAlgorithm::Hs256) {
            keys.push_back(key.publicJwk());
        }
    }
    return {{"keys", std::move(keys)}};
}

} // namespace vivavoce::broker::auth
