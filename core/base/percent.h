#pragma once

#include <string>
#include <string_view>

namespace vivavoce::core {

/// Every byte but the unreserved ones of RFC 3986 §2.3 as %XX; what a query value or a form field holds. Pure.
[[nodiscard]] std::string percentEncoded(std::string_view text);

} // namespace vivavoce::core
