#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace vivavoce::fuzz {

/// A property that does not hold ends the run, as a crash does: libFuzzer keeps the input.
inline void require(bool holds, const char* property)
{
    if (!holds) {
        std::cerr << "does not hold: " << property << '\n';
        std::abort();
    }
}

/// libFuzzer's bytes as text, without a copy.
inline std::string_view textOf(const std::uint8_t* data, std::size_t size)
{
    // As text anything may be looked at (basic.lval).
    return {reinterpret_cast<const char*>(data), size};
}

/// One line that a terminal and a log may be shown.
inline bool isTame(std::string_view text)
{
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            return false;
        }
    }
    return true;
}

} // namespace vivavoce::fuzz
