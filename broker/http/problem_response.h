#pragma once

#include "broker/fault.h"
#include "broker/tokens/token_service.h"
#include "net/http_message.h"

namespace vivavoce::broker::http {

/// RFC 9457 with our stable `code`; `WWW-Authenticate` with 401, `Retry-After` where the fault says how long.
[[nodiscard]] net::HttpResponse problemResponse(const Fault& fault);

/// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10): structured-field lists of strings.
void addRateLimit(net::HttpResponse& response, const Charge& charge);

} // namespace vivavoce::broker::http
