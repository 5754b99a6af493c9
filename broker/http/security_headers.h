#pragma once

#include "net/http_message.h"

#include <string>
#include <vector>

namespace vivavoce::broker::http {

/// What every response carries, whoever made it: the header set of the OWASP secure headers project for a JSON API,
/// `X-Request-Id`, and HSTS where the client came by TLS, be it to a trusted proxy. Removes what tells about the software.
void addSecurityHeaders(
    const net::HttpRequest& request, net::HttpResponse& response, const std::vector<std::string>& trustedProxies);

} // namespace vivavoce::broker::http
