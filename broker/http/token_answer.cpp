#include "broker/http/token_answer.h"

#include "broker/auth/authenticator.h"
#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"
#include "broker/projects/project_directory.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::broker::http {

net::HttpResponse answerOf(const TokenOutcome& outcome)
{
    auto response = outcome.result ? net::HttpResponse::json(200, core::broker::encode(*outcome.result))
                                   : problemResponse(outcome.result.error());
    if (outcome.charge) {
        addRateLimit(response, *outcome.charge);
    }
    return response;
}

net::HttpResponse chargedProblem(const Fault& fault, const std::optional<Charge>& charge)
{
    auto response = problemResponse(fault);
    if (charge) {
        addRateLimit(response, *charge);
    }
    return response;
}

bool isDenial(FaultCode code)
{
    switch (code) {
    case FaultCode::InvalidToken:
    case FaultCode::TokenExpired:
    case FaultCode::TokenReused:
    case FaultCode::NotAllowed:
    case FaultCode::ProjectNotAllowed:
    case FaultCode::SessionNotFound:
    case FaultCode::RateLimited:
    case FaultCode::Blocked:
    case FaultCode::TooManySessions:
    case FaultCode::BudgetExhausted:
        return true;
    default:
        return false;
    }
}

namespace {

bool looksLikeToken(std::string_view text)
{
    return auth::isOfProvider(text) || auth::ServiceAccounts::isKey(text) || auth::readToken(text);
}

/// Continues a session of the guest's own.
net::Awaitable<net::HttpResponse> resume(Entrance& entrance, TokenService& tokens, const net::HttpRequest& request,
    Entrance::Guest guest, core::broker::TokenRequest message, SessionTransport transport)
{
    const std::string session = message.resumeSessionId.value_or(std::string());
    auto outcome = co_await tokens.resume(guest.client, std::move(message), transport);
    const Fault* const fault = outcome.result ? nullptr : &outcome.result.error();
    if (fault != nullptr && isDenial(fault->code)) {
        entrance.turnedAway(guest.client, faultRow(fault->code).text, sessionNamed(session));
    } else if (outcome.charge) {
        entrance.countedElsewhere(request, guest);
    }
    co_return answerOf(outcome);
}

} // namespace

net::Awaitable<net::HttpResponse> startSession(
    Entrance& entrance, TokenService& tokens, const net::HttpRequest& request, SessionTransport transport)
{
    const bool isRelay = transport == SessionTransport::Relay;
    auto guest = co_await entrance.enter(request, isRelay ? auth::scope::kSession : auth::scope::kMint);
    if (!guest) {
        co_return std::move(guest.error());
    }
    auto message = checkContentType(request)
        ? core::Expected<core::broker::TokenRequest, core::Error>(core::broker::TokenRequest())
        : core::broker::decodeTokenRequest(request.body);
    if (message && message->projectId && message->projectId->empty()) {
        // Whoever names one means one.
        message = core::fail(core::ErrorCode::BadUsage, "projectId is empty");
    }
    if (message && message->model && message->model->empty()) {
        message = core::fail(core::ErrorCode::BadUsage, "model is empty");
    }
    if (message && message->projectId && looksLikeToken(*message->projectId)) {
        // Put there by mistake. It would be kept with the session, and in the audit.
        message = core::fail(core::ErrorCode::BadUsage, "projectId is a token or a key");
    }
    // A session that is continued has its own bucket, and is charged where the session is known.
    if (message && message->resumeSessionId) {
        auto resumed = co_await resume(entrance, tokens, request, std::move(*guest), std::move(*message), transport);
        co_return resumed;
    }
    Admission admission = co_await tokens.admit(guest->client, transport);
    if (admission.fault) {
        entrance.turnedAway(guest->client, faultRow(admission.fault->code).text);
        co_return chargedProblem(*admission.fault, admission.charge);
    }
    entrance.countedElsewhere(request, *guest);
    if (const auto fault = checkContentType(request)) {
        co_return chargedProblem(*fault, admission.charge);
    }
    if (!message) {
        co_return chargedProblem({FaultCode::InvalidBody, message.error().detail, std::nullopt}, admission.charge);
    }
    const std::string project = message->projectId.value_or(std::string());
    auto outcome = co_await tokens.mint(guest->client, std::move(*message), transport);
    if (!outcome.result && isDenial(outcome.result.error().code)) {
        entrance.turnedAway(guest->client, faultRow(outcome.result.error().code).text,
            isProjectName(project) ? project : std::string());
    }
    outcome.charge = std::move(admission.charge);
    co_return answerOf(outcome);
}

} // namespace vivavoce::broker::http
