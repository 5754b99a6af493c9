#pragma once

#include "core/base/secret.h"

#include <string_view>

namespace vivavoce::broker {

/// Why a secret that signs tokens is refused ("has to have 32 bytes or more"), or nothing where it is as good as random. Refused are those
/// that are short (RFC 7518 §3.2), repeat themselves or follow the keyboard or the alphabet, are words, also in Base64 or hexadecimal
/// digits, or were published in a standard or a tutorial. What a random generator makes of 32 bytes passes, as hexadecimal digits and
/// Base64 too. The text never holds a part of the secret.
[[nodiscard]] std::string_view weaknessOf(const core::Secret& secret);

} // namespace vivavoce::broker
