#include "core/session/internal/provider_errors.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace vivavoce::core::internal {
namespace {

struct Row {
    std::string_view code;
    ErrorCode ours;
    ErrorWeight weight;
};

constexpr std::array kKnown{
    Row{"response_cancel_not_active", ErrorCode::ProviderFailed, ErrorWeight::Harmless},
    Row{"conversation_already_has_active_response", ErrorCode::ProviderFailed, ErrorWeight::Harmless},
    Row{"input_audio_buffer_commit_empty", ErrorCode::ProviderFailed, ErrorWeight::Harmless},
    Row{"item_truncate_invalid_item_id", ErrorCode::ProviderFailed, ErrorWeight::Harmless},
    Row{"item_truncate_invalid_audio_end_ms", ErrorCode::ProviderFailed, ErrorWeight::Harmless},
    Row{"invalid_api_key", ErrorCode::ProviderRefused, ErrorWeight::Fatal},
    Row{"missing_model", ErrorCode::ProviderFailed, ErrorWeight::Fatal},
    Row{"invalid_model", ErrorCode::ChoiceRefused, ErrorWeight::Fatal},
    Row{"model_not_found", ErrorCode::ChoiceRefused, ErrorWeight::Fatal},
    Row{"beta_api_shape_disabled", ErrorCode::BadConfiguration, ErrorWeight::Fatal},
    Row{"model_load_error", ErrorCode::ChoiceRefused, ErrorWeight::Fatal},
    Row{"session_expired", ErrorCode::SessionExpired, ErrorWeight::Fatal},
    Row{"insufficient_quota", ErrorCode::ProviderQuota, ErrorWeight::Fatal},
    Row{"credit_balance_exhausted", ErrorCode::ProviderQuota, ErrorWeight::Fatal},
    Row{"session_limit_reached", ErrorCode::RateLimited, ErrorWeight::Fatal},
    Row{"rate_limit_exceeded", ErrorCode::RateLimited, ErrorWeight::Notable},
    Row{"server_error", ErrorCode::ProviderFailed, ErrorWeight::Notable},
};

/// Older and compatible servers send these without the code.
bool isLate(std::string_view message)
{
    const bool isTruncate =
        message.starts_with("Audio content of ") && message.find("already shorter than") != std::string_view::npos;
    return isTruncate || message.starts_with("No active response");
}

/// Gemini has no codes of its own for why it closes, only words.
bool speaksOf(std::string_view reason, std::initializer_list<std::string_view> words)
{
    return std::any_of(
        words.begin(), words.end(), [&](std::string_view word) { return reason.find(word) != std::string_view::npos; });
}

/// What the broker's relay says of the provider behind it; elsewhere such words are not used.
ErrorCode codeOfRelay(std::string_view reason)
{
    struct Meaning {
        std::string_view reason;
        ErrorCode code;
    };
    constexpr std::array kRows{Meaning{"provider_refused", ErrorCode::ProviderRefused},
        Meaning{"provider_malformed", ErrorCode::ProviderMalformed},
        Meaning{"provider_quota", ErrorCode::ProviderQuota}, Meaning{"provider_rejected", ErrorCode::ChoiceRefused},
        Meaning{"provider_unreachable", ErrorCode::ProviderUnreachable},
        Meaning{"provider_timeout", ErrorCode::ProviderUnreachable},
        Meaning{"provider_failed", ErrorCode::ProviderFailed},
        Meaning{"provider_rate_limited", ErrorCode::RateLimited}};
    // Behind it the provider's own words may stand.
    const std::string_view word = reason.substr(0, reason.find(": "));
    const auto* const row =
        std::find_if(kRows.begin(), kRows.end(), [&](const Meaning& one) { return one.reason == word; });
    return row == kRows.end() ? ErrorCode::ProviderClosed : row->code;
}

} // namespace

std::string tame(std::string_view text)
{
    constexpr std::size_t kLongest = 300;
    std::string result(text.substr(0, kLongest));
    std::replace_if(
        result.begin(), result.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
    return result;
}

std::optional<Setting> settingBlamed(const openai::ErrorDetail& error)
{
    struct Sign {
        std::string_view word;
        Setting setting;
    };
    constexpr std::array kSigns{Sign{"prefix_padding_ms", Setting::Padding}, Sign{"audio_format", Setting::Formats},
        Sign{"audio.input.format", Setting::Formats}, Sign{"audio.output.format", Setting::Formats},
        Sign{"voice", Setting::Voice}, Sign{"transcription", Setting::Transcription}, Sign{"tool", Setting::Tools}};
    // The parameter is the authority; a sentence may speak of other things, too.
    const std::string text =
        error.param && !error.param->empty() ? *error.param : error.code.value_or(std::string()) + " " + error.message;
    const auto* const sign = std::find_if(
        kSigns.begin(), kSigns.end(), [&](const Sign& one) { return text.find(one.word) != std::string::npos; });
    return sign == kSigns.end() ? std::nullopt : std::optional(sign->setting);
}

bool answers(const openai::ErrorDetail& error, std::string_view idPrefix, std::string_view type)
{
    if (error.eventId && !error.eventId->empty()) {
        return error.eventId->starts_with(idPrefix);
    }
    return error.message.find(type) != std::string::npos;
}

ProviderFault classify(std::string_view type, std::string_view code, std::string_view message)
{
    ProviderFault fault;
    fault.error.code = ErrorCode::ProviderFailed;
    fault.error.detail = tame(message);
    fault.error.foreignCode = tame(code.empty() ? type : code);
    const auto known = std::find_if(kKnown.begin(), kKnown.end(), [&](const Row& row) { return row.code == code; });
    if (known != kKnown.end()) {
        fault.error.code = known->ours;
        fault.weight = known->weight;
    } else if (code.empty() && isLate(message)) {
        fault.weight = ErrorWeight::Harmless;
    }
    return fault;
}

Error errorOfClose(const TransportClose& close, bool isGemini)
{
    Error error;
    error.code = ErrorCode::ProviderClosed;
    error.foreignCode = std::to_string(close.code);
    error.detail = (isBrokersClose(close) ? "the broker" : "the provider") + std::string(" closed the connection (")
        + std::to_string(close.code) + (close.reason.empty() ? std::string() : ", " + tame(close.reason)) + ")";
    switch (close.code) {
    case 3000:
        error.code = ErrorCode::ProviderRefused;
        break;
    case 4000:
    case 4004:
        error.code = speaksOf(close.reason, {"model"}) ? ErrorCode::ChoiceRefused : ErrorCode::BadConfiguration;
        break;
    case 1009:
        error.code = ErrorCode::ProviderMessageTooBig;
        break;
    case 1001:
        error.code =
            close.reason.find("expired") != std::string::npos ? ErrorCode::SessionExpired : ErrorCode::ProviderClosed;
        break;
    case 1007:
        if (!isGemini) {
            // Qt closes so by itself where a character is cut in two: that heals with the next connection.
            break;
        }
        error.code = speaksOf(close.reason, {"API key", "API Key", "token"}) ? ErrorCode::ProviderRefused
                                                                             : ErrorCode::BadConfiguration;
        break;
    case 1008:
        error.code = close.reason == "rate_limited"        ? ErrorCode::RateLimited
            : speaksOf(close.reason, {"not found"})        ? ErrorCode::ChoiceRefused
            : speaksOf(close.reason, {"locked_by_policy"}) ? ErrorCode::BadConfiguration
                                                           : ErrorCode::ProviderRefused;
        break;
    case 1011:
    case 1013:
    // Qt's clients cannot read 1013 (close codes of brokers).
    case 4013:
        error.code = speaksOf(close.reason, {"exceeded your current quota"}) ? ErrorCode::ProviderQuota
                                                                             : codeOfRelay(close.reason);
        break;
    case 4401:
        error.code = ErrorCode::TokenExpired;
        break;
    case 4402:
        error.code = ErrorCode::BudgetExhausted;
        break;
    case 4403:
    case 4409:
        error.code = ErrorCode::SessionEnded;
        break;
    case 4408:
        error.code = ErrorCode::SessionExpired;
        break;
    default:
        break;
    }
    return error;
}

} // namespace vivavoce::core::internal
