#pragma once

#include "net/router.h"

#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::http {

/// Which web pages may read our answers (Fetch §3.2): those of an exact list of origins, without cookies.
class Cors {
public:
    explicit Cors(std::vector<std::string> allowedOrigins) : m_allowed(std::move(allowedOrigins)) {}

    /// "https://app.example" and the like: scheme, host and port, nothing behind them; neither "*" nor "null".
    [[nodiscard]] static bool isOrigin(std::string_view text);

    /// For what browsers send across origins without asking first (RFC 6455 §10.2): no origin, which is no browser, or one of the list.
    [[nodiscard]] bool isWelcome(const net::HttpRequest& request) const;
    /// Answers preflights of that path: 204, without credentials and outside all quotas.
    void answerPreflights(net::Router& router, const std::string& path) const;
    /// Over every response: what the browser wants to see before a page may read it.
    void addTo(const net::HttpRequest& request, net::HttpResponse& response) const;

private:
    std::vector<std::string> m_allowed;
};

} // namespace vivavoce::broker::http
