#pragma once

#include "core/base/visible_ascii.h"

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

} // namespace vivavoce::core
