#pragma once

#include "core/base/secret.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker {

/// What callers are called in a store that others can read: pseudonyms by HMAC-SHA256 in its keys, names sealed with AES-256-GCM
/// in the list of blocks. Brokers with the same key understand each other. [any thread]
class CallerPseudonyms {
public:
    explicit CallerPseudonyms(const core::Secret& key);
    ~CallerPseudonyms();
    CallerPseudonyms(const CallerPseudonyms&) = delete;
    CallerPseudonyms& operator=(const CallerPseudonyms&) = delete;

    /// 128 bits as 22 URL-safe characters; another one for each purpose.
    [[nodiscard]] std::string of(std::string_view purpose, std::string_view name) const;
    /// Another text each time.
    [[nodiscard]] std::string seal(std::string_view name) const;
    /// Nothing: sealed with another key, or changed on the way.
    [[nodiscard]] std::optional<std::string> unseal(std::string_view sealed) const;

private:
    using Key = std::array<std::uint8_t, 32>;
    Key m_nameKey{};
    Key m_sealKey{};
};

} // namespace vivavoce::broker
