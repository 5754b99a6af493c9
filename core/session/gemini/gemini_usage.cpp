#include "core/session/gemini/gemini_usage.h"

#include <algorithm>

namespace vivavoce::core {
namespace {

/// More than any session has; whatever a server tells, a sum does not overflow.
constexpr std::int64_t kMostTokens = 1'000'000'000;

std::int64_t countOf(const std::optional<gemini::Int64>& told)
{
    return std::clamp<std::int64_t>(told ? told->value : 0, 0, kMostTokens);
}

openai::TokenCounts countsOf(const std::optional<std::vector<gemini::ModalityCount>>& details)
{
    openai::TokenCounts counts;
    for (const gemini::ModalityCount& one : details.value_or(std::vector<gemini::ModalityCount>())) {
        std::int64_t& kind = one.modality == "AUDIO"             ? counts.audio
            : one.modality == "IMAGE" || one.modality == "VIDEO" ? counts.image
                                                                 : counts.text;
        kind = std::min(kind + countOf(one.tokenCount), kMostTokens);
    }
    return counts;
}

openai::TokenCounts sumOf(const openai::TokenCounts& one, const openai::TokenCounts& other)
{
    return {one.text + other.text, one.audio + other.audio, one.image + other.image};
}

} // namespace

openai::Usage usageOf(const gemini::UsageMetadata& snapshot)
{
    openai::Usage usage;
    usage.inputTokens = countOf(snapshot.promptTokenCount) + countOf(snapshot.toolUsePromptTokenCount);
    usage.outputTokens = countOf(snapshot.responseTokenCount) + countOf(snapshot.thoughtsTokenCount);
    usage.totalTokens = usage.inputTokens + usage.outputTokens;
    if (usage.totalTokens == 0) {
        usage.totalTokens = countOf(snapshot.totalTokenCount);
    }
    openai::InputTokenDetails in;
    in.tokens = sumOf(countsOf(snapshot.promptTokensDetails), countsOf(snapshot.toolUsePromptTokensDetails));
    in.cached = countOf(snapshot.cachedContentTokenCount);
    if (snapshot.cacheTokensDetails) {
        in.cachedDetails = countsOf(snapshot.cacheTokensDetails);
    }
    usage.inputDetails = in;
    usage.outputDetails = countsOf(snapshot.responseTokensDetails);
    return usage;
}

openai::Usage sumOf(const openai::Usage& one, const openai::Usage& other)
{
    openai::Usage sum;
    sum.totalTokens = one.totalTokens + other.totalTokens;
    sum.inputTokens = one.inputTokens + other.inputTokens;
    sum.outputTokens = one.outputTokens + other.outputTokens;
    const openai::InputTokenDetails a = one.inputDetails.value_or(openai::InputTokenDetails());
    const openai::InputTokenDetails b = other.inputDetails.value_or(openai::InputTokenDetails());
    openai::InputTokenDetails in;
    in.cached = a.cached + b.cached;
    in.tokens = sumOf(a.tokens, b.tokens);
    if (a.cachedDetails || b.cachedDetails) {
        in.cachedDetails = sumOf(a.cachedDetails.value_or(openai::TokenCounts{a.cached, 0, 0}),
            b.cachedDetails.value_or(openai::TokenCounts{b.cached, 0, 0}));
    }
    sum.inputDetails = in;
    sum.outputDetails =
        sumOf(one.outputDetails.value_or(openai::TokenCounts()), other.outputDetails.value_or(openai::TokenCounts()));
    return sum;
}

} // namespace vivavoce::core
