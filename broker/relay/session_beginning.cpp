#include "broker/relay/session_beginning.h"

#include "broker/relay/close_codes.h"
#include "core/protocol/openai/codec.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace vivavoce::broker::relay {
namespace {

namespace openai = core::openai;
using core::ErrorCode;

/// OpenAI's own for a bad credential.
constexpr std::uint16_t kBadCredential = 3000;

/// What servers say in place of a session.
struct Row {
    std::string_view theirs;
    ErrorCode ours;
};
constexpr std::array kRows{
    Row{"invalid_api_key", ErrorCode::ProviderRefused},
    Row{"missing_model", ErrorCode::BadUsage},
    Row{"invalid_model", ErrorCode::BadUsage},
    Row{"model_not_found", ErrorCode::BadUsage},
    Row{"model_load_error", ErrorCode::BadUsage},
    Row{"beta_api_shape_disabled", ErrorCode::BadUsage},
    Row{"session_limit_reached", ErrorCode::RateLimited},
    Row{"rate_limit_exceeded", ErrorCode::RateLimited},
    Row{"insufficient_quota", ErrorCode::ProviderQuota},
    Row{"credit_balance_exhausted", ErrorCode::ProviderQuota},
};

core::Error errorOf(ErrorCode code, std::string detail)
{
    core::Error error;
    error.code = code;
    error.detail = std::move(detail);
    return error;
}

} // namespace

std::optional<core::Error> SessionBeginning::read(std::string_view text)
{
    m_isSilent = false;
    if (m_hasBegun) {
        return std::nullopt;
    }
    const auto event = openai::decodeServerEvent(text);
    const auto* const told = event ? std::get_if<openai::ErrorEvent>(&*event) : nullptr;
    if (told == nullptr) {
        m_hasBegun = true;
        return std::nullopt;
    }
    const auto* const row =
        std::find_if(kRows.begin(), kRows.end(), [&](const Row& one) { return one.theirs == told->error.code; });
    if (row == kRows.end()) {
        return std::nullopt;
    }
    return errorOf(row->ours, "the provider said in place of a session: " + std::string(row->theirs));
}

std::optional<core::Error> SessionBeginning::ended(const net::WebSocketClose& close) const
{
    // speaches and others say no word to a bad key.
    const bool isRefusal = close.code == closing::kPolicyViolation || close.code == kBadCredential;
    if (!m_isSilent || !isRefusal || close.isOurs) {
        return std::nullopt;
    }
    return errorOf(ErrorCode::ProviderRefused, "the provider ended it at once: " + std::to_string(close.code));
}

} // namespace vivavoce::broker::relay
