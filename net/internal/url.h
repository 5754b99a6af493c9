#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace vivavoce::net {

/// What a client needs of an address.
struct Url {
    bool isTls = false;
    /// Without the brackets of an IPv6 literal.
    std::string host;
    std::uint16_t port = 0;
    /// For the Host field: brackets kept, the port where it is not the default one.
    std::string authority;
    /// Path and query, at least "/".
    std::string target;
};

/// `plain` and `secure` are the schemes ("http", "https"). BadConfiguration for what is not such a URL or has user
/// information; InsecureUrl for a plain one to anything but loopback.
[[nodiscard]] core::Expected<Url, core::Error> parseUrl(
    std::string_view text, std::string_view plain, std::string_view secure);

/// 127.0.0.0/8, ::1 and "localhost".
[[nodiscard]] bool isLoopbackHost(std::string_view host);

} // namespace vivavoce::net
