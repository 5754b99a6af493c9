#pragma once

#include "broker/auth/json_web_token.h"
#include "broker/auth/signing_key.h"
#include "core/base/error.h"

#include <vector>

namespace vivavoce::broker::auth {

/// The keys of what we issue: the first one signs, all of them verify. To rotate, a new one is put in front, and the old one stays until
/// the last token that it signed is over.
/// Invariants: at least one key; no two of one name; secrets or private keys, never both.
/// Threads: [any thread].
class KeyRing {
public:
    /// BadConfiguration.
    [[nodiscard]] static core::Expected<KeyRing, core::Error> create(std::vector<SigningKey> keys);

    [[nodiscard]] core::Secret sign(std::string_view type, const core::Json& claims) const
    {
        return m_keys.front().sign(type, claims);
    }
    [[nodiscard]] const JsonWebKeySet& verifiers() const { return m_verifiers; }
    /// RFC 7517 §5, to be published. Of secrets there is nothing to publish: then it has no keys.
    [[nodiscard]] core::Json published() const;

private:
    KeyRing(std::vector<SigningKey> keys, JsonWebKeySet verifiers);

    std::vector<SigningKey> m_keys;
    JsonWebKeySet m_verifiers;
};

} // namespace vivavoce::broker::auth
