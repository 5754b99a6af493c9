#include "broker/http/problem_response.h"

#include "core/protocol/broker/messages.h"

#include <algorithm>
#include <chrono>

namespace vivavoce::broker::http {
namespace {

/// The registered type where there is one, else a name of our own.
std::string problemType(const FaultRow& row)
{
    switch (row.code) {
    case FaultCode::RateLimited:
    case FaultCode::TooManySessions:
    case FaultCode::BudgetExhausted:
        return "https://iana.org/assignments/http-problem-types#quota-exceeded";
    case FaultCode::Blocked:
        return "https://iana.org/assignments/http-problem-types#abnormal-usage-detected";
    default:
        return "urn:vivavoce:problem:" + std::string(row.text);
    }
}

} // namespace

net::HttpResponse problemResponse(const Fault& fault)
{
    using std::chrono::seconds;
    const FaultRow& row = faultRow(fault.code);
    core::broker::Problem problem;
    problem.type = problemType(row);
    problem.title = row.title;
    problem.status = row.status;
    problem.detail = fault.detail;
    problem.code = row.text;
    if (fault.retryAfter) {
        problem.retryAfter = std::max(std::chrono::ceil<seconds>(*fault.retryAfter), seconds(1)).count();
    }
    if (!fault.violatedPolicy.empty()) {
        problem.violatedPolicies.push_back(fault.violatedPolicy);
    }
    net::HttpResponse response;
    response.status = static_cast<unsigned>(row.status);
    response.body = core::broker::encode(problem);
    response.headers.set("Content-Type", "application/problem+json; charset=utf-8");
    if (problem.retryAfter) {
        response.headers.set("Retry-After", std::to_string(*problem.retryAfter));
    }
    if (row.status == 401) {
        // Without credentials there is nothing to call an error (RFC 6750 §3).
        response.headers.set("WWW-Authenticate",
            fault.code == FaultCode::Unauthenticated ? "Bearer realm=\"vivavoce\""
                                                     : "Bearer realm=\"vivavoce\", error=\"invalid_token\"");
    }
    return response;
}

void addRateLimit(net::HttpResponse& response, const Charge& charge)
{
    const std::string name = "\"" + charge.policy + "\"";
    // Whole seconds are all that the field has: a shorter window must not become one of no length.
    const auto window = std::chrono::ceil<std::chrono::seconds>(charge.limits.window).count();
    response.headers.set(
        "RateLimit-Policy", name + ";q=" + std::to_string(charge.limits.maxRequests) + ";w=" + std::to_string(window));
    response.headers.set("RateLimit",
        name + ";r=" + std::to_string(charge.decision.remaining)
            + ";t=" + std::to_string(charge.decision.secondsToReset));
}

} // namespace vivavoce::broker::http
