#pragma once

#include <string_view>

namespace vivavoce::core {

/// Whether a token may go there: https:// with a host, or http:// to this computer; no user name, no fragment, no white space.
[[nodiscard]] bool isSecureUrl(std::string_view url);

} // namespace vivavoce::core
