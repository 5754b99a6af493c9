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

struct StreamBearer {
    std::string_view token;
    /// What the answer chooses of the subprotocols; empty: none.
    std::string subprotocol;
};
/// The same for a WebSocket: a page in a browser can offer it as the subprotocol "bearer.<token>" only, or as OpenAI's clients do it. What is
/// chosen is never the one with the token in it. The field wins where both are there.
[[nodiscard]] core::Expected<StreamBearer, Fault> streamBearerOf(const net::HttpRequest& request);

/// application/json, with charset=utf-8 or no parameter, and not encoded. BadRequest where it is said twice, UnsupportedMediaType.
[[nodiscard]] std::optional<Fault> checkContentType(const net::HttpRequest& request);

/// `Idempotency-Key`: 1 to 128 visible ASCII characters, once; empty where absent.
[[nodiscard]] core::Expected<std::string, Fault> idempotencyKeyOf(const net::HttpRequest& request);

/// Whom to hold responsible: the peer, or behind trusted proxies the nearest address in X-Forwarded-For, all lines of it together,
/// that is not one of theirs.
[[nodiscard]] std::string clientAddress(
    const net::HttpRequest& request, const std::vector<std::string>& trustedProxies);

/// Whether the client's own connection is TLS: of a trusted proxy's clients the proxy alone knows, and says `X-Forwarded-Proto`.
[[nodiscard]] bool cameByHttps(const net::HttpRequest& request, const std::vector<std::string>& trustedProxies);

/// Which peers may speak for others. A request over plain HTTP from beyond loopback is refused unless such a proxy says
/// `X-Forwarded-Proto: https`; a GET is redirected (308), to `publicUrl` where that is an https one.
[[nodiscard]] std::optional<net::HttpResponse> refuseInsecure(
    const net::HttpRequest& request, const std::vector<std::string>& trustedProxies, std::string_view publicUrl);

} // namespace vivavoce::broker::http
