#pragma once

#include "core/base/error.h"
#include "core/base/units.h"

#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker {

/// Why a request is not granted. Each has a stable text, an HTTP status and a title: the table is in fault.cpp.
enum class FaultCode {
    BadRequest,
    InvalidEncoding,
    InvalidBody,
    InvalidIdempotencyKey,
    Unauthenticated,
    InvalidToken,
    TokenExpired,
    TokenReused,
    HttpsRequired,
    InsufficientScope,
    NotAllowed,
    ProjectNotAllowed,
    OriginNotAllowed,
    NotFound,
    SessionNotFound,
    MethodNotAllowed,
    RequestTimeout,
    RefreshInProgress,
    ProjectChanged,
    BodyTooLarge,
    UriTooLong,
    UnsupportedMediaType,
    ExpectationFailed,
    UnknownProvider,
    ProviderRejected,
    UpgradeRequired,
    RateLimited,
    Blocked,
    TooManySessions,
    BudgetExhausted,
    ProviderRateLimited,
    HeadersTooLarge,
    Internal,
    ProviderRefused,
    ProviderMalformed,
    ProviderFailed,
    ProviderQuota,
    ProviderUnreachable,
    SessionsFull,
    Unavailable,
    ProviderTimeout,
};

struct FaultRow {
    FaultCode code;
    /// Stable, in `code` of the problem.
    std::string_view text;
    int status;
    std::string_view title;
};

[[nodiscard]] const FaultRow& faultRow(FaultCode code);
/// Nothing for a text that is no fault's.
[[nodiscard]] const FaultRow* findFault(std::string_view text);
/// What a status means that the HTTP server itself answers with.
[[nodiscard]] FaultCode faultOfStatus(unsigned status);

/// An expected refusal. `detail` goes to the caller: English, one line, never a secret, nothing of the provider's own text.
struct Fault {
    FaultCode code = FaultCode::Internal;
    std::string detail;
    std::optional<core::Milliseconds> retryAfter;
    /// The quota that the request broke, for "violated-policies" of the problem. Empty: none.
    std::string violatedPolicy{};
};

/// What a provider's failure means to whoever asked us.
[[nodiscard]] Fault faultOfProvider(const core::Error& error);

} // namespace vivavoce::broker
