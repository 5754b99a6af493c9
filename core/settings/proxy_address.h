#pragma once

#include "core/base/expected.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace vivavoce::core {

struct ProxyAddress {
    /// SOCKS 5; otherwise HTTP CONNECT.
    bool isSocks = false;
    std::string host;
    std::uint16_t port = 0;

    bool operator==(const ProxyAddress&) const = default;
};

enum class ProxyFault {
    /// Neither http://host:port nor socks5://host:port.
    NotAnAddress,
    /// It holds a name or a password: they would have to be kept somewhere.
    HasCredentials,
};

/// "http://proxy.example:3128", "socks5://[::1]:1080"; without a scheme it is HTTP.
[[nodiscard]] Expected<ProxyAddress, ProxyFault> proxyAddress(std::string_view typed);

} // namespace vivavoce::core
