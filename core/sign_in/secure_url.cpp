#include "core/sign_in/secure_url.h"

#include "core/base/visible_ascii.h"
#include "core/settings/broker_address.h"

namespace vivavoce::core {

bool isSecureUrl(std::string_view url)
{
    constexpr std::size_t kLongest = 2048;
    const bool hasScheme = url.starts_with("https://") || url.starts_with("http://");
    if (!hasScheme || !isVisibleAscii(url) || url.size() > kLongest || url.find('#') != std::string_view::npos) {
        return false;
    }
    // An endpoint may have a query of its own (RFC 6749 §3.1).
    return brokerAddress(url.substr(0, url.find('?'))).has_value();
}

} // namespace vivavoce::core
