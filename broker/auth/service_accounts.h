#pragma once

#include "broker/auth/caller.h"
#include "core/base/expected.h"
#include "core/base/secret.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::auth {

/// SHA-256 of a key. The keys are 256 random bits, so nothing slower is needed to keep them from being guessed.
using KeyHash = std::array<std::uint8_t, 32>;

/// A program of the operator's, as the configuration has it.
struct ServiceAccount {
    /// 1 to 64 characters of a to z, 0 to 9 and the dash.
    std::string name;
    KeyHash keyHash{};
    std::vector<std::string> scopes;
    std::vector<std::string> projects{};
};

/// "vvs_<name>_<43 characters of base64url>": what an account bears. Made once, shown once.
struct NewServiceKey {
    core::Secret key;
    KeyHash hash{};
};
[[nodiscard]] NewServiceKey makeServiceKey(std::string_view name);
[[nodiscard]] bool isServiceName(std::string_view name);

/// "sha256:" and 64 hexadecimal digits.
[[nodiscard]] std::string writeKeyHash(const KeyHash& hash);
[[nodiscard]] std::optional<KeyHash> readKeyHash(std::string_view text);

/// The accounts of a broker. Immutable. [any thread]
class ServiceAccounts {
public:
    explicit ServiceAccounts(std::vector<ServiceAccount> accounts) : m_accounts(std::move(accounts)) {}

    /// Whether a token is one of ours by its looks.
    [[nodiscard]] static bool isKey(std::string_view token);
    /// Compares hashes in constant time; an unknown name takes as long as a wrong key.
    [[nodiscard]] core::Expected<Caller, Refusal> authenticate(std::string_view token) const;

private:
    std::vector<ServiceAccount> m_accounts;
};

} // namespace vivavoce::broker::auth
