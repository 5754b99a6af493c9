#include "core/settings/proxy_address.h"

#include <algorithm>
#include <charconv>

namespace vivavoce::core {
namespace {

bool isOfAHost(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-'
        || c == '_' || c == ':';
}

} // namespace

Expected<ProxyAddress, ProxyFault> proxyAddress(std::string_view typed)
{
    const auto wrong = Unexpected<ProxyFault>(ProxyFault::NotAnAddress);
    ProxyAddress address;
    std::string_view rest = typed;
    if (const std::size_t end = rest.find("://"); end != std::string_view::npos) {
        const std::string_view scheme = rest.substr(0, end);
        address.isSocks = scheme == "socks5" || scheme == "socks5h";
        if (!address.isSocks && scheme != "http") {
            return wrong;
        }
        rest.remove_prefix(end + 3);
    }
    if (rest.find('@') != std::string_view::npos) {
        return Unexpected<ProxyFault>(ProxyFault::HasCredentials);
    }
    if (!rest.empty() && rest.back() == '/') {
        rest.remove_suffix(1);
    }
    const std::size_t colon = rest.rfind(':');
    if (colon == std::string_view::npos) {
        return wrong;
    }
    std::string_view host = rest.substr(0, colon);
    const std::string_view port = rest.substr(colon + 1);
    const auto [end, fault] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (fault != std::errc() || end != port.data() + port.size() || address.port == 0) {
        return wrong;
    }
    const bool isBracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (isBracketed) {
        host = host.substr(1, host.size() - 2);
    }
    // Colons are for addresses in brackets.
    if (host.empty() || !std::all_of(host.begin(), host.end(), isOfAHost)
        || (!isBracketed && host.find(':') != std::string_view::npos)) {
        return wrong;
    }
    address.host = host;
    return address;
}

} // namespace vivavoce::core
