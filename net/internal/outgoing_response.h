#pragma once

#include "net/http_message.h"
#include "net/internal/boost.h"

#include <chrono>
#include <string>

namespace vivavoce::net {

/// A response as it goes on the wire: framed by its length, with a Date, and with no body where none may be (HEAD, 204,
/// 304). `keepsAlive` becomes the Connection field.
[[nodiscard]] http::response<http::string_body> makeOutgoing(
    const HttpRequest& request, HttpResponse response, unsigned version, bool keepsAlive);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7).
[[nodiscard]] std::string httpDate(std::chrono::system_clock::time_point when);

} // namespace vivavoce::net
