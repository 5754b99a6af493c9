#pragma once

#include "broker/fault.h"
#include "core/base/expected.h"
#include "net/http_message.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::http {

/// The bearer token of a request (RFC 6750 §2.1), at most 8 KiB. Unauthenticated without one, InvalidToken for a malformed one.
/// The view is into the request.
[[nodiscard]] core::Expected<std::string_view, Fault> bearerOf(const net::HttpRequest& request);

/// application/json, with charset=utf-8 or no parameter.
[[nodiscard]] std::optional<Fault> checkContentType(const net::HttpRequest& request);

/// `Idempotency-Key`: 1 to 128 visible ASCII characters, once; empty where absent.
[[nodiscard]] core::Expected<std::string, Fault> idempotencyKeyOf(const net::HttpRequest& request);

/// Whom to hold responsible: the peer, or behind trusted proxies the nearest address in X-Forwarded-For that is not one of theirs.
[[nodiscard]] std::string clientAddress(
    const net::HttpRequest& request, const std::vector<std::string>& trustedProxies);

/// Which peers may speak for others. A request over plain HTTP from beyond loopback is refused unless such a proxy says
/// `X-Forwarded-Proto: https`; a GET is redirected (308).
[[nodiscard]] std::optional<net::HttpResponse> refuseInsecure(
    const net::HttpRequest& request, const std::vector<std::string>& trustedProxies);

} // namespace vivavoce::broker::http
