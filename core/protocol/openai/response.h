#pragma once

#include "core/protocol/openai/items.h"
#include "core/protocol/openai/session_config.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vivavoce::core::openai {

/// At most 16 pairs.
using Metadata = std::map<std::string, std::string>;

enum class ResponseStatus { InProgress, Completed, Cancelled, Failed, Incomplete };

struct StatusError {
    std::optional<std::string> type;
    std::optional<std::string> code;
    std::optional<std::string> message;
};

/// Why a response ended as it did.
struct StatusDetails {
    std::optional<ResponseStatus> type;
    /// turn_detected, client_cancelled, max_output_tokens or content_filter.
    std::optional<std::string> reason;
    std::optional<StatusError> error;
};

struct TokenCounts {
    std::int64_t text = 0;
    std::int64_t audio = 0;
    std::int64_t image = 0;
};

struct InputTokenDetails {
    std::int64_t cached = 0;
    TokenCounts tokens;
    /// Of the cached ones.
    std::optional<TokenCounts> cachedDetails;
};

/// What one response cost. Images are never in the output.
struct Usage {
    std::int64_t totalTokens = 0;
    std::int64_t inputTokens = 0;
    std::int64_t outputTokens = 0;
    std::optional<InputTokenDetails> inputDetails;
    std::optional<TokenCounts> outputDetails;
};

struct Response {
    std::string id;
    /// Nothing where a server does not tell it.
    std::optional<ResponseStatus> status;
    std::optional<StatusDetails> statusDetails;
    std::vector<Item> output;
    std::optional<std::string> conversationId;
    std::optional<std::vector<Modality>> outputModalities;
    std::optional<TokenLimit> maxOutputTokens;
    std::optional<AudioFormat> outputFormat;
    std::optional<Voice> voice;
    std::optional<Metadata> metadata;
    std::optional<Usage> usage;
};

/// What response.create may ask for, beside or instead of the session's own.
struct ResponseConfig {
    std::optional<std::string> instructions;
    std::optional<std::vector<Modality>> outputModalities;
    std::optional<AudioFormat> outputFormat;
    std::optional<Voice> voice;
    std::optional<std::vector<Tool>> tools;
    std::optional<ToolChoice> toolChoice;
    std::optional<bool> parallelToolCalls;
    std::optional<TokenLimit> maxOutputTokens;
    /// "auto", or "none" for a response beside the conversation.
    std::optional<std::string> conversation;
    std::optional<Metadata> metadata;
    /// In place of the conversation so far.
    std::optional<std::vector<Item>> input;
    Nullable<RawJson> prompt;
    /// minimal, low, medium, high or xhigh.
    std::optional<std::string> reasoningEffort;
};

/// What writing down one spoken turn cost: counted in tokens or in time, as the transcriber bills.
struct TranscriptionTokens {
    std::int64_t inputTokens = 0;
    std::int64_t outputTokens = 0;
    std::int64_t totalTokens = 0;
    std::optional<TokenCounts> inputDetails;
};
struct TranscriptionDuration {
    double seconds = 0;
};
using TranscriptionUsage = std::variant<TranscriptionTokens, TranscriptionDuration>;

} // namespace vivavoce::core::openai
