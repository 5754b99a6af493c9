#include "net/internal/url.h"

#include "core/base/http_headers.h"
#include "net/internal/boost.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace vivavoce::net {

using core::fail;

bool isLoopbackHost(std::string_view host)
{
    if (core::equalsIgnoreCase(host, "localhost")) {
        return true;
    }
    ErrorCode error;
    const auto address = asio::ip::make_address(host, error);
    return !error && address.is_loopback();
}

namespace {

/// scheme://… of visible ASCII. Boost 1.81 is not asked about anything else: "x: " ends it with an assertion.
bool looksLikeUrl(std::string_view text)
{
    const std::size_t colon = text.find(':');
    return colon != std::string_view::npos && text.substr(colon, 3) == "://"
        && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

} // namespace

core::Expected<Url, core::Error> parseUrl(std::string_view text, std::string_view plain, std::string_view secure)
{
    const auto malformed =
        fail(core::ErrorCode::BadConfiguration, "not an address of the form " + std::string(secure) + "://host/path");
    if (!looksLikeUrl(text)) {
        return malformed;
    }
    const auto parsed = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
    if (!parsed || parsed->host().empty() || parsed->has_userinfo()) {
        return malformed;
    }
    // Boost 1.81 takes "127.0.0.1.example" for the address 127.0.0.1 with the rest as a path without its slash.
    if (!parsed->encoded_path().empty() && parsed->encoded_path().front() != '/') {
        return fail(core::ErrorCode::BadConfiguration, "the address has a host that is no host");
    }
    Url url;
    const std::string scheme(parsed->scheme());
    url.isTls = core::equalsIgnoreCase(scheme, secure);
    if (!url.isTls && !core::equalsIgnoreCase(scheme, plain)) {
        return fail(core::ErrorCode::BadConfiguration, "the address is not " + std::string(secure) + ":");
    }
    url.host = parsed->host_type() == boost::urls::host_type::ipv6
        ? std::string(parsed->host_ipv6_address().to_string())
        : std::string(parsed->host_address());
    if (!url.isTls && !isLoopbackHost(url.host)) {
        return fail(core::ErrorCode::InsecureUrl, "plain " + std::string(plain) + ": is only for this computer");
    }
    url.port = parsed->has_port() ? parsed->port_number() : static_cast<std::uint16_t>(url.isTls ? 443 : 80);
    if (parsed->has_port() && url.port == 0) {
        return fail(core::ErrorCode::BadConfiguration, "the address has a bad port");
    }
    url.authority = std::string(parsed->encoded_host_and_port());
    url.target = std::string(parsed->encoded_path());
    if (url.target.empty()) {
        url.target = "/";
    }
    if (parsed->has_query()) {
        url.target += "?" + std::string(parsed->encoded_query());
    }
    return url;
}

} // namespace vivavoce::net
