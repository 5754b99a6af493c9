#include "audio/dsp/voice_processor.h"

#include "core/base/units.h"

#include <webrtc/modules/audio_processing/include/audio_processing.h>
#include <webrtc/modules/interface/module_common_types.h>

#include <algorithm>
#include <cmath>

namespace vivavoce::dsp {
namespace {

constexpr double kSilenceDbfs = -100;

double levelOf(std::span<const std::int16_t> frame)
{
    double energy = 0;
    for (const std::int16_t sample : frame) {
        energy += static_cast<double>(sample) * sample;
    }
    const double rms = std::sqrt(energy / static_cast<double>(frame.size())) / 32768.0;
    return rms > 0 ? std::max(kSilenceDbfs, 20 * std::log10(rms)) : kSilenceDbfs;
}

} // namespace

struct VoiceProcessor::State {
    std::unique_ptr<webrtc::AudioProcessing> processing;
    webrtc::AudioFrame frame;
};

VoiceProcessor::VoiceProcessor(std::unique_ptr<State> state) : m_state(std::move(state)) {}
VoiceProcessor::VoiceProcessor(VoiceProcessor&&) noexcept = default;
VoiceProcessor& VoiceProcessor::operator=(VoiceProcessor&&) noexcept = default;
VoiceProcessor::~VoiceProcessor() = default;

core::Expected<VoiceProcessor, core::Error> VoiceProcessor::create()
{
    auto state = std::make_unique<State>();
    state->processing.reset(webrtc::AudioProcessing::Create());
    if (state->processing == nullptr) {
        return core::fail(core::ErrorCode::SoundFailed, "the voice processing could not be made");
    }
    webrtc::AudioProcessing& processing = *state->processing;
    bool isFine = processing.high_pass_filter()->Enable(true) == 0;
    isFine = isFine && processing.noise_suppression()->set_level(webrtc::NoiseSuppression::kHigh) == 0;
    isFine = isFine && processing.noise_suppression()->Enable(true) == 0;
    // With any other likelihood turns run into each other in noise (measured).
    isFine = isFine && processing.voice_detection()->set_likelihood(webrtc::VoiceDetection::kVeryLowLikelihood) == 0;
    isFine = isFine && processing.voice_detection()->Enable(true) == 0;
    if (!isFine) {
        return core::fail(core::ErrorCode::SoundFailed, "the voice processing refused its settings");
    }
    state->frame.sample_rate_hz_ = static_cast<int>(core::kSpeechRate.hz());
    state->frame.num_channels_ = 1;
    state->frame.samples_per_channel_ = kFrameSamples;
    return VoiceProcessor(std::move(state));
}

VoiceFrame VoiceProcessor::process(std::span<std::int16_t, kFrameSamples> frame)
{
    std::copy(frame.begin(), frame.end(), m_state->frame.data_);
    VoiceFrame result;
    if (m_state->processing->ProcessStream(&m_state->frame) == 0) {
        std::copy_n(m_state->frame.data_, kFrameSamples, frame.begin());
        result.hasVoice = m_state->processing->voice_detection()->stream_has_voice();
    }
    result.levelDbfs = levelOf(frame);
    return result;
}

} // namespace vivavoce::dsp
