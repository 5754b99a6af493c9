#include "broker/token_keys.h"

#include "broker/config_values.h"
#include "broker/tokens/token_hasher.h"

#include <utility>

namespace vivavoce::broker {
namespace {

/// A secret for this process alone, where the operator gave none.
core::Secret randomSecret()
{
    std::string text = randomId() + randomId();
    core::Secret secret(text);
    core::wipeString(text);
    return secret;
}

} // namespace

core::Expected<auth::KeyRing, core::Error> keyRingOf(const Config& config)
{
    std::vector<auth::SigningKey> keys;
    for (const std::string& path : config.tokenKeys) {
        const auto pem = readSecretFile(path);
        if (!pem) {
            return badConfig("tokens.keys", "names a file that cannot be read or is empty");
        }
        auto key = auth::SigningKey::fromPem(*pem);
        if (!key) {
            return badConfig("tokens.keys",
                "names a file that is no private key of P-256 or Ed25519 in PEM (PKCS #8, without a passphrase)");
        }
        keys.push_back(std::move(*key));
    }
    if (keys.empty()) {
        // Their length was checked with the rest of the configuration.
        const core::Secret random = randomSecret();
        for (const core::Secret* secret : {config.secret.empty() ? &random : &config.secret, &config.previousSecret}) {
            if (auto key = auth::SigningKey::fromSecret(*secret)) {
                keys.push_back(std::move(*key));
            }
        }
    }
    return auth::KeyRing::create(std::move(keys));
}

} // namespace vivavoce::broker
