#include "broker/http/cors.h"

#include <algorithm>

namespace vivavoce::broker::http {

bool Cors::isOrigin(std::string_view text)
{
    const std::string_view scheme = text.starts_with("https://") ? "https://" : "http://";
    if (!text.starts_with(scheme) || text.size() > 255) {
        return false;
    }
    text.remove_prefix(scheme.size());
    // As browsers write it: lower case, no user, no path.
    const bool isTame = std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' || c == '['
            || c == ']';
    });
    // Browsers leave out the scheme's own port.
    const bool hasOwnPort = text.ends_with(scheme == "https://" ? ":443" : ":80");
    return isTame && !hasOwnPort && !text.empty() && text.back() != ':' && text.front() != ':';
}

bool Cors::isWelcome(const net::HttpRequest& request) const
{
    const auto origin = request.headers.find("Origin");
    return !origin
        || (request.headers.count("Origin") == 1
            && std::find(m_allowed.begin(), m_allowed.end(), *origin) != m_allowed.end());
}

void Cors::answerPreflights(net::Router& router, const std::string& path) const
{
    router.add("OPTIONS", path, [](const net::HttpRequest&) -> net::Awaitable<net::HttpResponse> {
        net::HttpResponse response;
        response.status = 204;
        co_return response;
    });
}

void Cors::addTo(const net::HttpRequest& request, net::HttpResponse& response) const
{
    // Also where there is no origin: a cache must not give one page's answer to another.
    response.headers.set("Vary", "Origin");
    const auto origin = request.headers.find("Origin");
    if (!origin || !isWelcome(request)) {
        return;
    }
    response.headers.set("Access-Control-Allow-Origin", std::string(*origin));
    if (request.method == "OPTIONS") {
        response.headers.set("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS");
        response.headers.set(
            "Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID");
        response.headers.set("Access-Control-Max-Age", "86400");
    } else {
        response.headers.set("Access-Control-Expose-Headers", "RateLimit, RateLimit-Policy, Retry-After, X-Request-Id");
    }
}

} // namespace vivavoce::broker::http
