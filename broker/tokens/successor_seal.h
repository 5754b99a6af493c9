#pragma once

#include "broker/tokens/token_hasher.h"
#include "core/base/secret.h"

#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker {

/// Locks a token so that only the bearer of the one before it can open it, and only at a broker with the same secret: what a lost answer
/// is given again from. AES-256-GCM with a key made of both; the registry keeps the sealed text, and knows neither token.
/// Threads: [any thread]. Lifetime: the hasher outlives it.
class SuccessorSeal {
public:
    explicit SuccessorSeal(const TokenHasher& hasher) : m_hasher(hasher) {}

    /// base64url.
    [[nodiscard]] std::string seal(std::string_view spent, const core::Secret& successor) const;
    /// Nothing: it was not sealed with this token.
    [[nodiscard]] std::optional<core::Secret> open(std::string_view spent, std::string_view sealed) const;

private:
    /// Those that it may be sealed with, the one to seal with first.
    [[nodiscard]] TokenHashes keysOf(std::string_view spent) const;
    [[nodiscard]] static std::optional<core::Secret> openWith(const TokenHash& key, std::string_view sealed);

    const TokenHasher& m_hasher;
};

} // namespace vivavoce::broker
