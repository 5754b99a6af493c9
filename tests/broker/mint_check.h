#pragma once

#include "net/http_message.h"

#include <optional>

namespace vivavoce::tests {

/// What OpenAI answers to a POST of /v1/realtime/client_secrets that its description forbids, for stand-ins: nothing where all is right.
/// Objects are closed there, and what an older version of the interface took is refused. Only fields that a broker may pin are known.
[[nodiscard]] std::optional<net::HttpResponse> refusalOfMint(const net::HttpRequest& request);

} // namespace vivavoce::tests
