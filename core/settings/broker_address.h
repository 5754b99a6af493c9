#pragma once

#include "core/base/expected.h"

#include <string>
#include <string_view>

namespace vivavoce::core {

enum class AddressFault {
    Empty,
    /// Neither https:// nor http:// with a host behind it.
    NotAnAddress,
    /// http:// to another computer: the credential would travel in the open.
    Insecure,
    /// It holds a user name, a password, a query or a fragment.
    TooMuch,
};

/// A broker's address as a person types it, made regular: "voice.example" becomes "https://voice.example", ends without a slash.
[[nodiscard]] Expected<std::string, AddressFault> brokerAddress(std::string_view typed);

} // namespace vivavoce::core
