#include "agent/realtime/usage.h"

#include <cctype>

namespace vivavoce::agent::realtime {

namespace {

std::int64_t tokensOf(core::Milliseconds length, std::int64_t millisecondsPerToken)
{
    return (length.count() + millisecondsPerToken - 1) / millisecondsPerToken;
}

} // namespace

std::int64_t wordCount(std::string_view text)
{
    std::int64_t words = 0;
    bool isInWord = false;
    for (const char letter : text) {
        const bool isSpace = std::isspace(static_cast<unsigned char>(letter)) != 0;
        words += !isSpace && !isInWord ? 1 : 0;
        isInWord = !isSpace;
    }
    return words;
}

std::int64_t inputAudioTokens(core::Milliseconds length)
{
    return tokensOf(length, 100);
}

std::int64_t outputAudioTokens(core::Milliseconds length)
{
    return tokensOf(length, 50);
}

Usage inputUsage(std::string_view instructions, bool areInstructionsCached, const std::vector<const Item*>& items)
{
    Usage usage;
    usage.inputText = wordCount(instructions);
    usage.cachedText = areInstructionsCached ? usage.inputText : 0;
    for (const Item* item : items) {
        std::int64_t words = wordCount(item->payload);
        std::int64_t audio = 0;
        for (const ContentPart& part : item->content) {
            // Speech of the user is paid as audio; its transcript is made here and costs nothing more.
            if (part.kind == PartKind::InputAudio) {
                audio += inputAudioTokens(part.audioLength);
            } else {
                words += wordCount(part.text.value_or(""));
            }
        }
        usage.inputText += words;
        usage.inputAudio += audio;
        usage.cachedText += item->wasSent ? words : 0;
        usage.cachedAudio += item->wasSent ? audio : 0;
    }
    return usage;
}

core::openai::Usage Usage::toWire() const
{
    core::openai::Usage usage;
    usage.totalTokens = total();
    usage.inputTokens = inputText + inputAudio;
    usage.outputTokens = outputText + outputAudio;
    usage.inputDetails = {cachedText + cachedAudio, {inputText, inputAudio}, {{cachedText, cachedAudio}}};
    usage.outputDetails = {outputText, outputAudio};
    return usage;
}

core::openai::TranscriptionUsage transcriptionUsage(core::Milliseconds length, std::string_view transcript)
{
    const std::int64_t audio = inputAudioTokens(length);
    const std::int64_t words = wordCount(transcript);
    return core::openai::TranscriptionTokens{audio, words, audio + words, {{0, audio}}};
}

} // namespace vivavoce::agent::realtime
