#pragma once

#include "broker/http/entrance.h"

namespace vivavoce::broker::http {

/// A new token, or the problem; with what the limits say.
[[nodiscard]] net::HttpResponse answerOf(const TokenOutcome& outcome);
[[nodiscard]] net::HttpResponse chargedProblem(const Fault& fault, const std::optional<Charge>& charge);

/// It is the caller who may not, and nothing that has failed, or passes by itself.
[[nodiscard]] bool isDenial(FaultCode code);

/// POST of a new session over that transport: who asks, how often, for what; then the token.
[[nodiscard]] net::Awaitable<net::HttpResponse> startSession(
    Entrance& entrance, TokenService& tokens, const net::HttpRequest& request, SessionTransport transport);

} // namespace vivavoce::broker::http
