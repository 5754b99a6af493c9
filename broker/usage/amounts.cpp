#include "broker/usage/amounts.h"

namespace vivavoce::broker::usage {
namespace {

constexpr std::array<std::string_view, kMeasures> kColumns{"connected_ms", "audio_in_ms", "audio_out_ms", "turns",
    "tool_calls", "text_in", "cached_text_in", "text_out", "audio_in", "cached_audio_in", "audio_out", "image_in",
    "cached_image_in", "transcribed_ms", "transcription_tokens", "nano_dollars", "unpriced"};

} // namespace

std::string_view columnOf(Measure measure)
{
    return kColumns[static_cast<std::size_t>(measure)];
}

const std::array<Measure, kMeasures>& allMeasures()
{
    static const auto all = [] {
        std::array<Measure, kMeasures> measures{};
        for (std::size_t i = 0; i < kMeasures; ++i) {
            measures[i] = static_cast<Measure>(i);
        }
        return measures;
    }();
    return all;
}

Amounts& Amounts::operator+=(const Amounts& other)
{
    for (std::size_t i = 0; i < kMeasures; ++i) {
        m_values[i] += other.m_values[i];
    }
    return *this;
}

void Amounts::add(const core::UsageTally& tokens)
{
    (*this)[Measure::TextIn] += tokens.textIn;
    (*this)[Measure::CachedTextIn] += tokens.cachedTextIn;
    (*this)[Measure::TextOut] += tokens.textOut;
    (*this)[Measure::AudioIn] += tokens.audioIn;
    (*this)[Measure::CachedAudioIn] += tokens.cachedAudioIn;
    (*this)[Measure::AudioOut] += tokens.audioOut;
    (*this)[Measure::ImageIn] += tokens.imageIn;
    (*this)[Measure::CachedImageIn] += tokens.cachedImageIn;
}

} // namespace vivavoce::broker::usage
