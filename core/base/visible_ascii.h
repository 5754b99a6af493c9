#pragma once

#include <algorithm>
#include <string_view>

namespace vivavoce::core {

/// All that may go into a header or an address as it is (RFC 9110 §5.5, RFC 3986 §2): a line end would begin a header of its own. Pure.
[[nodiscard]] inline bool isVisibleAscii(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

} // namespace vivavoce::core
