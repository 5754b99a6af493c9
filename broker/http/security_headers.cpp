#include "broker/http/security_headers.h"

#include "broker/http/request_checks.h"

#include <array>
#include <string_view>

namespace vivavoce::broker::http {
namespace {

struct Header {
    const char* name;
    const char* value;
};

constexpr std::array kAlways{
    Header{"Cache-Control", "no-store, max-age=0"},
    Header{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    Header{"Cross-Origin-Embedder-Policy", "require-corp"},
    Header{"Cross-Origin-Opener-Policy", "same-origin"},
    Header{"Cross-Origin-Resource-Policy", "same-origin"},
    Header{"Permissions-Policy",
        "accelerometer=(), autoplay=(), camera=(), clipboard-read=(), clipboard-write=(), display-capture=(), "
        "encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), "
        "serial=(), usb=(), web-share=(), xr-spatial-tracking=()"},
    Header{"Referrer-Policy", "no-referrer"},
    Header{"X-Content-Type-Options", "nosniff"},
    Header{"X-DNS-Prefetch-Control", "off"},
    Header{"X-Frame-Options", "deny"},
    Header{"X-Permitted-Cross-Domain-Policies", "none"},
};

} // namespace

void addSecurityHeaders(
    const net::HttpRequest& request, net::HttpResponse& response, const std::vector<std::string>& trustedProxies)
{
    for (const Header& header : kAlways) {
        // A page says itself what it may load.
        const bool isPages = header.name == std::string_view("Content-Security-Policy")
            && response.headers.find(header.name).has_value();
        if (!isPages) {
            response.headers.set(header.name, header.value);
        }
    }
    if (cameByHttps(request, trustedProxies)) {
        response.headers.set("Strict-Transport-Security", "max-age=63072000; includeSubDomains");
    }
    response.headers.set("X-Request-Id", request.id);
}

} // namespace vivavoce::broker::http
