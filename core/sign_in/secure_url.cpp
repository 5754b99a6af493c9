#include "core/sign_in/secure_url.h"

#include "core/settings/broker_address.h"

#include <algorithm>

namespace vivavoce::core {

bool isSecureUrl(std::string_view url)
{
    constexpr std::size_t kLongest = 2048;
    const bool hasScheme = url.starts_with("https://") || url.starts_with("http://");
    const bool isPlain = std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    if (!hasScheme || !isPlain || url.size() > kLongest || url.find('#') != std::string_view::npos) {
        return false;
    }
    // An endpoint may have a query of its own (RFC 6749 §3.1).
    return brokerAddress(url.substr(0, url.find('?'))).has_value();
}

} // namespace vivavoce::core
