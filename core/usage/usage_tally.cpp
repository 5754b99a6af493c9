#include "core/usage/usage_tally.h"

#include <algorithm>

namespace vivavoce::core {
namespace {

/// In seconds; nobody speaks for longer in one turn.
constexpr double kDay = 86'400;
/// More than any model reads or writes at once.
constexpr std::int64_t kMostTokens = 10'000'000;

std::int64_t sumOf(const openai::TokenCounts& counts)
{
    return counts.text + counts.audio + counts.image;
}

/// What a server tells as a sum alone is taken for text: the cheaper kind, so that no money is made up, and none forgotten.
std::int64_t remainder(std::int64_t total, std::int64_t told)
{
    return std::max<std::int64_t>(total, told) - told;
}

} // namespace

UsageTally UsageTally::of(const openai::Usage& usage)
{
    UsageTally tally;
    if (usage.inputDetails) {
        const openai::InputTokenDetails& in = *usage.inputDetails;
        const openai::TokenCounts cached = in.cachedDetails.value_or(openai::TokenCounts{in.cached, 0, 0});
        tally.cachedTextIn = cached.text;
        tally.cachedAudioIn = cached.audio;
        tally.cachedImageIn = cached.image;
        const std::int64_t text = in.tokens.text + remainder(usage.inputTokens, sumOf(in.tokens));
        tally.textIn = std::max<std::int64_t>(text - cached.text, 0);
        tally.audioIn = std::max<std::int64_t>(in.tokens.audio - cached.audio, 0);
        tally.imageIn = std::max<std::int64_t>(in.tokens.image - cached.image, 0);
    } else {
        tally.textIn = usage.inputTokens;
    }
    if (usage.outputDetails) {
        tally.textOut = usage.outputDetails->text + remainder(usage.outputTokens, sumOf(*usage.outputDetails));
        tally.audioOut = usage.outputDetails->audio;
    } else {
        tally.textOut = usage.outputTokens;
    }
    if (usage.inputTokens == 0 && usage.outputTokens == 0 && tally.isEmpty()) {
        tally.textIn = std::max<std::int64_t>(usage.totalTokens, 0);
    }
    return tally;
}

UsageTally UsageTally::clamped() const
{
    UsageTally sane = *this;
    for (std::int64_t* const count : {&sane.textIn, &sane.audioIn, &sane.imageIn, &sane.cachedTextIn,
             &sane.cachedAudioIn, &sane.cachedImageIn, &sane.textOut, &sane.audioOut}) {
        *count = std::clamp<std::int64_t>(*count, 0, kMostTokens);
    }
    return sane;
}

TranscriptionTally TranscriptionTally::clamped() const
{
    return {std::clamp<std::int64_t>(tokens, 0, kMostTokens), time};
}

TranscriptionTally TranscriptionTally::of(const openai::TranscriptionUsage& usage)
{
    if (const auto* tokens = std::get_if<openai::TranscriptionTokens>(&usage)) {
        return {tokens->totalTokens, {}};
    }
    const double seconds = std::get<openai::TranscriptionDuration>(usage).seconds;
    return {0, Milliseconds{static_cast<Milliseconds::rep>(std::clamp(seconds, 0.0, kDay) * 1'000)}};
}

TranscriptionTally& TranscriptionTally::operator+=(const TranscriptionTally& other)
{
    tokens += other.tokens;
    time += other.time;
    return *this;
}

UsageTally& UsageTally::operator+=(const UsageTally& other)
{
    textIn += other.textIn;
    audioIn += other.audioIn;
    imageIn += other.imageIn;
    cachedTextIn += other.cachedTextIn;
    cachedAudioIn += other.cachedAudioIn;
    cachedImageIn += other.cachedImageIn;
    textOut += other.textOut;
    audioOut += other.audioOut;
    return *this;
}

} // namespace vivavoce::core
