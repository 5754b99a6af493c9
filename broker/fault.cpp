#include "broker/fault.h"

#include <algorithm>
#include <array>

namespace vivavoce::broker {
namespace {

constexpr std::array kRows{
    FaultRow{FaultCode::BadRequest, "bad_request", 400, "The request is not well formed"},
    FaultRow{FaultCode::InvalidEncoding, "invalid_encoding", 400, "The query is not UTF-8 in percent-encoding"},
    FaultRow{FaultCode::InvalidBody, "invalid_body", 400, "The body is not what it should be"},
    FaultRow{FaultCode::InvalidIdempotencyKey, "invalid_idempotency_key", 400, "The Idempotency-Key is not acceptable"},
    FaultRow{FaultCode::Unauthenticated, "unauthenticated", 401, "Credentials are needed"},
    FaultRow{FaultCode::InvalidToken, "invalid_token", 401, "The credentials are not valid"},
    FaultRow{FaultCode::TokenExpired, "token_expired", 401, "The token has expired"},
    FaultRow{FaultCode::TokenReused, "token_reused", 401, "The token was used before; its session has ended"},
    FaultRow{FaultCode::HttpsRequired, "https_required", 403, "This service is reached by HTTPS only"},
    FaultRow{FaultCode::InsufficientScope, "insufficient_scope", 403, "The credentials do not allow this"},
    FaultRow{FaultCode::NotAllowed, "not_allowed", 403, "The operator's policy does not allow this"},
    FaultRow{FaultCode::ProjectNotAllowed, "project_not_allowed", 403, "This project is not one of the caller's"},
    FaultRow{FaultCode::OriginNotAllowed, "origin_not_allowed", 403, "Pages of this origin are not let in"},
    FaultRow{FaultCode::NotFound, "not_found", 404, "There is nothing here"},
    FaultRow{FaultCode::SessionNotFound, "session_not_found", 404, "There is no such session"},
    FaultRow{FaultCode::MethodNotAllowed, "method_not_allowed", 405, "This method is not for this resource"},
    FaultRow{FaultCode::RequestTimeout, "request_timeout", 408, "The request did not arrive in time"},
    FaultRow{FaultCode::RefreshInProgress, "refresh_in_progress", 409, "The session is being refreshed already"},
    FaultRow{FaultCode::ProjectChanged, "project_changed", 409, "Somebody has changed the project meanwhile"},
    FaultRow{FaultCode::BodyTooLarge, "body_too_large", 413, "The body is too large"},
    FaultRow{FaultCode::UriTooLong, "uri_too_long", 414, "The address is too long"},
    FaultRow{
        FaultCode::UnsupportedMediaType, "unsupported_media_type", 415, "The body has to be application/json in UTF-8"},
    FaultRow{FaultCode::ExpectationFailed, "expectation_failed", 417, "This expectation is not known"},
    FaultRow{FaultCode::UnknownProvider, "unknown_provider", 422, "This provider is not configured"},
    FaultRow{FaultCode::ProviderRejected, "provider_rejected", 422, "The provider does not take these settings"},
    FaultRow{FaultCode::UpgradeRequired, "upgrade_required", 426, "Another protocol is needed"},
    FaultRow{FaultCode::RateLimited, "rate_limited", 429, "Too many requests"},
    FaultRow{FaultCode::Blocked, "blocked", 429, "Too many requests in spite of being asked to wait"},
    FaultRow{FaultCode::TooManySessions, "too_many_sessions", 429, "The caller has as many sessions as it may have"},
    FaultRow{FaultCode::BudgetExhausted, "budget_exhausted", 429, "The budget is spent"},
    FaultRow{FaultCode::ProviderRateLimited, "provider_rate_limited", 429, "The provider asks for patience"},
    FaultRow{FaultCode::HeadersTooLarge, "headers_too_large", 431, "The header block is too large"},
    FaultRow{FaultCode::Internal, "internal", 500, "Something went wrong here"},
    FaultRow{FaultCode::ProviderRefused, "provider_refused", 502, "The provider does not take the broker's key"},
    FaultRow{FaultCode::ProviderMalformed, "provider_malformed", 502, "The provider's answer makes no sense"},
    FaultRow{FaultCode::ProviderFailed, "provider_failed", 502, "The provider failed"},
    FaultRow{FaultCode::ProviderQuota, "provider_quota", 502, "The account at the provider is exhausted"},
    FaultRow{FaultCode::ProviderUnreachable, "provider_unreachable", 503, "The provider cannot be reached"},
    FaultRow{FaultCode::SessionsFull, "sessions_full", 503, "There are too many sessions"},
    FaultRow{FaultCode::Unavailable, "unavailable", 503, "The service is not available now"},
    FaultRow{FaultCode::ProviderTimeout, "provider_timeout", 504, "The provider did not answer in time"},
};

} // namespace

const FaultRow& faultRow(FaultCode code)
{
    return *std::find_if(kRows.begin(), kRows.end(), [&](const FaultRow& row) { return row.code == code; });
}

const FaultRow* findFault(std::string_view text)
{
    const auto* const found =
        std::find_if(kRows.begin(), kRows.end(), [&](const FaultRow& row) { return row.text == text; });
    return found == kRows.end() ? nullptr : found;
}

FaultCode faultOfStatus(unsigned status)
{
    switch (status) {
    case 400:
        return FaultCode::BadRequest;
    case 404:
        return FaultCode::NotFound;
    case 405:
        return FaultCode::MethodNotAllowed;
    case 408:
        return FaultCode::RequestTimeout;
    case 413:
        return FaultCode::BodyTooLarge;
    case 414:
        return FaultCode::UriTooLong;
    case 415:
        return FaultCode::UnsupportedMediaType;
    case 417:
        return FaultCode::ExpectationFailed;
    case 426:
        return FaultCode::UpgradeRequired;
    case 431:
        return FaultCode::HeadersTooLarge;
    case 503:
        return FaultCode::Unavailable;
    default:
        return FaultCode::Internal;
    }
}

Fault faultOfProvider(const core::Error& error)
{
    using core::ErrorCode;
    switch (error.code) {
    case ErrorCode::ProviderRefused:
        return {FaultCode::ProviderRefused, "check the broker's API key", std::nullopt};
    case ErrorCode::BadUsage:
        return {FaultCode::ProviderRejected, "check model, voice and instructions", std::nullopt};
    case ErrorCode::ChoiceRefused:
        return {FaultCode::ProviderRejected, "it does not know this model or this address", std::nullopt};
    case ErrorCode::ProviderMalformed:
    case ErrorCode::ProviderMessageTooBig:
        return {FaultCode::ProviderMalformed, "its answer is not the protocol", std::nullopt};
    case ErrorCode::RateLimited:
        return {FaultCode::ProviderRateLimited, "the provider limits this account", error.retryAfter};
    case ErrorCode::ProviderQuota:
        return {FaultCode::ProviderQuota, "see the billing page of the provider", std::nullopt};
    case ErrorCode::ProviderUnreachable:
        return {FaultCode::ProviderUnreachable, "no connection to the provider", error.retryAfter};
    case ErrorCode::Timeout:
        return {FaultCode::ProviderTimeout, "no answer before the deadline", std::nullopt};
    case ErrorCode::ProviderFailed:
        return {FaultCode::ProviderFailed, "it reports a fault of its own", error.retryAfter};
    default:
        return {FaultCode::Internal, "the provider could not be asked", std::nullopt};
    }
}

} // namespace vivavoce::broker
