#pragma once

#include "core/base/visible_ascii.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::core {

/// What is asked of a broker. Empty: as it decides.
struct ProviderChoice {
    std::string provider;
    std::string model;
    /// That speaks; of the provider's, not the broker's: empty is as the server chooses.
    std::string voice{};

    bool operator==(const ProviderChoice&) const = default;
};

enum class NameFault {
    /// It holds a blank, or what is not visible ASCII.
    Odd,
    TooLong,
    /// It is a token or a key, which nobody is to keep or to send as a name.
    Secret,
};

/// As brokers take it.
inline constexpr std::size_t kLongestChosenName = 128;

/// What is wrong with the name of a provider, a model or a voice; nothing where it will do, as none does. Pure.
[[nodiscard]] inline std::optional<NameFault> nameFault(std::string_view name)
{
    return !isVisibleAscii(name)           ? std::optional(NameFault::Odd)
        : name.size() > kLongestChosenName ? std::optional(NameFault::TooLong)
                                           : std::nullopt;
}

/// What is wrong with the name of a project, likewise. Brokers take no token or key for one. Pure.
[[nodiscard]] inline std::optional<NameFault> projectNameFault(std::string_view name)
{
    const auto fault = nameFault(name);
    const auto begins = [&](std::string_view with) { return name.starts_with(with); };
    // Of a provider, of a service account, of a signed-in user.
    const bool isSecret = begins("ek_") || begins("sk-") || begins("auth_tokens/") || begins("vvs_")
        || (begins("eyJ") && std::count(name.begin(), name.end(), '.') == 2);
    return isSecret ? std::optional(NameFault::Secret) : fault;
}

} // namespace vivavoce::core
