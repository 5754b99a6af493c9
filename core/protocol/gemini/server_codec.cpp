#include "core/protocol/gemini/internal/fields.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace vivavoce::core::gemini {
namespace {

using Fault = ProtocolError::Fault;

/// Digits behind the point of a Duration count nanoseconds.
constexpr std::size_t kMostDecimals = 9;
constexpr std::int64_t kDaySeconds = 86'400;

/// A Duration as text, beside the value that it is read into.
template <typename A>
void duration(A& a, const char* key,
    std::conditional_t<A::kReads, std::optional<Milliseconds>&, const std::optional<Milliseconds>&> value)
{
    std::optional<std::string> text;
    if constexpr (A::kReads) {
        a.optional(key, text);
        value = text ? parseDuration(*text) : std::nullopt;
    } else if (value) {
        text = durationText(*value);
        a.optional(key, text);
    }
}

template <typename A, typename List>
void list(A& a, const char* key, List& target)
{
    if constexpr (A::kReads) {
        std::optional<std::remove_const_t<List>> values;
        a.optional(key, values);
        target = std::move(values).value_or(std::remove_const_t<List>());
    } else {
        a.required(key, target);
    }
}

} // namespace

template <typename A, Is<SetupComplete> E>
void fields(A& a, E& e)
{
    a.optionalText("sessionId", e.sessionId);
}

template <typename A, Is<TranscriptPiece> E>
void fields(A& a, E& e)
{
    a.optionalText("text", e.text);
    a.optional("finished", e.finished);
    a.optionalText("languageCode", e.languageCode);
}

template <typename A, Is<ServerContent> E>
void fields(A& a, E& e)
{
    a.optional("modelTurn", e.modelTurn);
    a.optional("interrupted", e.interrupted);
    a.optional("generationComplete", e.generationComplete);
    a.optional("turnComplete", e.turnComplete);
    a.optionalText("turnCompleteReason", e.turnCompleteReason);
    a.optionalText("interactionStatus", e.interactionStatus);
    a.optional("waitingForInput", e.waitingForInput);
    a.optional("inputTranscription", e.inputTranscription);
    a.optional("interimInputTranscription", e.interimInputTranscription);
    a.optional("outputTranscription", e.outputTranscription);
    a.optional("groundingMetadata", e.groundingMetadata);
    a.optional("urlContextMetadata", e.urlContextMetadata);
}

template <typename A, Is<ToolCall> E>
void fields(A& a, E& e)
{
    list(a, "functionCalls", e.functionCalls);
}

template <typename A, Is<ToolCallCancellation> E>
void fields(A& a, E& e)
{
    list(a, "ids", e.ids);
}

template <typename A, Is<GoAway> E>
void fields(A& a, E& e)
{
    duration<A>(a, "timeLeft", e.timeLeft);
}

template <typename A, Is<SessionResumptionUpdate> E>
void fields(A& a, E& e)
{
    a.optionalText("newHandle", e.newHandle);
    a.optional("resumable", e.resumable);
    a.optional("lastConsumedClientMessageIndex", e.lastConsumedClientMessageIndex);
}

template <typename A, Is<ModalityCount> E>
void fields(A& a, E& e)
{
    a.optionalText("modality", e.modality);
    a.expected("tokenCount", e.tokenCount);
}

template <typename A, Is<UsageMetadata> E>
void fields(A& a, E& e)
{
    a.optional("promptTokenCount", e.promptTokenCount);
    a.optional("cachedContentTokenCount", e.cachedContentTokenCount);
    a.optional("responseTokenCount", e.responseTokenCount);
    a.optional("toolUsePromptTokenCount", e.toolUsePromptTokenCount);
    a.optional("thoughtsTokenCount", e.thoughtsTokenCount);
    a.optional("totalTokenCount", e.totalTokenCount);
    a.optional("promptTokensDetails", e.promptTokensDetails);
    a.optional("cacheTokensDetails", e.cacheTokensDetails);
    a.optional("responseTokensDetails", e.responseTokensDetails);
    a.optional("toolUsePromptTokensDetails", e.toolUsePromptTokensDetails);
}

template <typename A, Is<VoiceActivity> E>
void fields(A& a, E& e)
{
    a.optionalText("voiceActivityType", e.voiceActivityType);
    duration<A>(a, "audioOffset", e.audioOffset);
}

template <typename A, Is<ServerMessage> E>
void fields(A& a, E& e)
{
    a.optional("setupComplete", e.setupComplete);
    a.optional("serverContent", e.serverContent);
    a.optional("toolCall", e.toolCall);
    a.optional("toolCallCancellation", e.toolCallCancellation);
    a.optional("goAway", e.goAway);
    a.optional("sessionResumptionUpdate", e.sessionResumptionUpdate);
    a.optional("usageMetadata", e.usageMetadata);
    a.optional("voiceActivity", e.voiceActivity);
}

std::string encode(const ServerMessage& message)
{
    Json tree = Json::object();
    Writer writer({openai::Dialect::Ga, openai::internal::Speaker::Server}, tree);
    fields(writer, message);
    return writeJson(tree);
}

Expected<ServerMessage, ProtocolError> decodeServerMessage(std::string_view text)
{
    auto tree = parseObject(text);
    if (!tree) {
        return Unexpected<ProtocolError>(std::move(tree.error()));
    }
    ReadState state{openai::internal::Reading::Lenient, std::nullopt};
    Reader reader(Place(state, nullptr), *tree);
    ServerMessage message;
    fields(reader, message);
    if (state.fault) {
        return Unexpected<ProtocolError>(std::move(*state.fault));
    }
    const auto& content = message.serverContent;
    const bool isGarbled = content && content->modelTurn
        && std::any_of(content->modelTurn->parts.begin(), content->modelTurn->parts.end(),
            [](const Part& part) { return part.inlineData && part.inlineData->isGarbled; });
    if (isGarbled) {
        return Unexpected<ProtocolError>({Fault::BadValue, "serverContent.modelTurn.parts.inlineData.data",
            "The field 'serverContent.modelTurn.parts.inlineData.data' is not base64.", {}});
    }
    return message;
}

std::optional<Milliseconds> parseDuration(std::string_view text)
{
    if (!text.ends_with('s')) {
        return std::nullopt;
    }
    text.remove_suffix(1);
    const std::string_view whole = text.substr(0, text.find('.'));
    const std::string_view decimals = whole.size() < text.size() ? text.substr(whole.size() + 1) : std::string_view();
    const auto isDigit = [](char c) { return c >= '0' && c <= '9'; };
    if (whole.empty() || whole.size() > kMostDecimals || decimals.size() > kMostDecimals
        || (whole.size() < text.size() && decimals.empty()) || !std::all_of(whole.begin(), whole.end(), isDigit)
        || !std::all_of(decimals.begin(), decimals.end(), isDigit)) {
        return std::nullopt;
    }
    std::string thousandths(decimals.substr(0, 3));
    thousandths.append(3 - thousandths.size(), '0');
    std::int64_t seconds = 0;
    std::int64_t milliseconds = 0;
    std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
    std::from_chars(thousandths.data(), thousandths.data() + thousandths.size(), milliseconds);
    if (seconds > kDaySeconds) {
        return std::nullopt;
    }
    return Milliseconds{seconds * 1'000 + milliseconds};
}

std::string durationText(Milliseconds duration)
{
    const std::string rest = std::to_string(duration.count() % 1'000);
    const std::string decimals = rest == "0" ? std::string() : "." + std::string(3 - rest.size(), '0') + rest;
    return std::to_string(duration.count() / 1'000) + decimals + "s";
}

} // namespace vivavoce::core::gemini
