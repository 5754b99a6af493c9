#pragma once

#include "core/base/error.h"

namespace vivavoce::core {

/// What an HTTP status says that a provider answers a WebSocket's handshake with, in place of 101. The address names the model, so that one that
/// is not there is most likely a model that is not: ChoiceRefused. What the answer says besides is nobody's to tell: it may repeat a key. Pure.
[[nodiscard]] constexpr ErrorCode codeOfRefusedHandshake(int status)
{
    switch (status) {
    case 401:
    case 403:
        return ErrorCode::ProviderRefused;
    case 402:
        return ErrorCode::ProviderQuota;
    case 408:
        return ErrorCode::Timeout;
    case 429:
        return ErrorCode::RateLimited;
    default:
        break;
    }
    // A page, or the way to one: no realtime endpoint.
    return status >= 500 ? ErrorCode::ProviderFailed
        : status >= 400  ? ErrorCode::ChoiceRefused
                         : ErrorCode::ProviderMalformed;
}

} // namespace vivavoce::core
