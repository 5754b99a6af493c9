#pragma once

#include "net/http_message.h"

namespace vivavoce::broker::http {

/// What every response carries, whoever made it: the header set of the OWASP secure headers project for a JSON API,
/// `X-Request-Id`, and HSTS where the connection is TLS. Removes what tells about the software.
void addSecurityHeaders(const net::HttpRequest& request, net::HttpResponse& response);

} // namespace vivavoce::broker::http
