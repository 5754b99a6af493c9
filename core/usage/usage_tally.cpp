#include "core/usage/usage_tally.h"

#include <algorithm>

namespace vivavoce::core {

UsageTally UsageTally::of(const openai::Usage& usage)
{
    UsageTally tally;
    if (usage.inputDetails) {
        const openai::InputTokenDetails& in = *usage.inputDetails;
        // Where a server tells the sum alone, it is taken for text: the cheaper kind, so that no money is made up.
        const openai::TokenCounts cached = in.cachedDetails.value_or(openai::TokenCounts{in.cached, 0, 0});
        tally.cachedTextIn = cached.text;
        tally.cachedAudioIn = cached.audio;
        tally.cachedImageIn = cached.image;
        tally.textIn = std::max<std::int64_t>(in.tokens.text - cached.text, 0);
        tally.audioIn = std::max<std::int64_t>(in.tokens.audio - cached.audio, 0);
        tally.imageIn = std::max<std::int64_t>(in.tokens.image - cached.image, 0);
    } else {
        tally.textIn = usage.inputTokens;
    }
    if (usage.outputDetails) {
        tally.textOut = usage.outputDetails->text;
        tally.audioOut = usage.outputDetails->audio;
    } else {
        tally.textOut = usage.outputTokens;
    }
    return tally;
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
