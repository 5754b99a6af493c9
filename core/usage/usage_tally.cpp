#include "core/usage/usage_tally.h"

#include <algorithm>

namespace vivavoce::core {
namespace {

/// In seconds; nobody speaks for longer in one turn.
constexpr double kDay = 86'400;
/// More than any model reads or writes at once.
constexpr std::int64_t kMostTokens = 10'000'000;

std::int64_t sane(std::int64_t count)
{
    return std::clamp<std::int64_t>(count, 0, kMostTokens);
}

openai::TokenCounts sane(const openai::TokenCounts& counts)
{
    return {sane(counts.text), sane(counts.audio), sane(counts.image)};
}

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
        const openai::TokenCounts in = sane(usage.inputDetails->tokens);
        const openai::TokenCounts cached =
            sane(usage.inputDetails->cachedDetails.value_or(openai::TokenCounts{usage.inputDetails->cached, 0, 0}));
        tally.cachedTextIn = cached.text;
        tally.cachedAudioIn = cached.audio;
        tally.cachedImageIn = cached.image;
        const std::int64_t text = in.text + remainder(sane(usage.inputTokens), sumOf(in));
        tally.textIn = std::max<std::int64_t>(text - cached.text, 0);
        tally.audioIn = std::max<std::int64_t>(in.audio - cached.audio, 0);
        tally.imageIn = std::max<std::int64_t>(in.image - cached.image, 0);
    } else {
        tally.textIn = sane(usage.inputTokens);
    }
    if (usage.outputDetails) {
        const openai::TokenCounts out = sane(*usage.outputDetails);
        tally.textOut = out.text + remainder(sane(usage.outputTokens), sumOf(out));
        tally.audioOut = out.audio;
    } else {
        tally.textOut = sane(usage.outputTokens);
    }
    if (usage.inputTokens == 0 && usage.outputTokens == 0 && tally.isEmpty()) {
        tally.textIn = sane(usage.totalTokens);
    }
    return tally;
}

UsageTally UsageTally::clamped() const
{
    UsageTally tally = *this;
    for (std::int64_t* const count : {&tally.textIn, &tally.audioIn, &tally.imageIn, &tally.cachedTextIn,
             &tally.cachedAudioIn, &tally.cachedImageIn, &tally.textOut, &tally.audioOut}) {
        *count = sane(*count);
    }
    return tally;
}

TranscriptionTally TranscriptionTally::clamped() const
{
    return {sane(tokens), time};
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
