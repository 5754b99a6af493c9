#include "audio/dsp/echo_canceller.h"

#include "audio/dsp/echo_delay.h"

#include <webrtc/common.h>
#include <webrtc/modules/audio_processing/include/audio_processing.h>
#include <webrtc/modules/interface/module_common_types.h>

#include <algorithm>
#include <array>
#include <deque>

namespace vivavoce::dsp {
namespace {

/// The library refuses more.
constexpr core::Milliseconds kLongestDelay{500};
constexpr core::Milliseconds kFrame{10};
/// It forgives a hint that is 40 ms short, and not one that is 8 ms long (50 dB become 27 dB, measured): what devices tell is taken for less.
constexpr core::Milliseconds kDistrust{20};
/// Half a second: more lies between the two only where one of them has stopped.
constexpr std::size_t kMostRendered = 50;

void prepare(webrtc::AudioFrame& frame)
{
    frame.sample_rate_hz_ = static_cast<int>(EchoCanceller::kRate.hz());
    frame.num_channels_ = 1;
    frame.samples_per_channel_ = EchoCanceller::kFrameSamples;
}

} // namespace

struct EchoCanceller::State {
    std::unique_ptr<webrtc::AudioProcessing> processing;
    webrtc::AudioFrame near;
    webrtc::AudioFrame far;
    EchoDelay delay;
    /// Rendered frames that no captured one has been set beside yet.
    std::deque<std::array<std::int16_t, kFrameSamples>> rendered;

    /// How old the far end of the echo in this frame is: found in the sound itself, or else as the devices tell.
    core::Milliseconds ageOfEcho(std::span<const std::int16_t> heard, core::Milliseconds told)
    {
        if (!rendered.empty()) {
            delay.add(rendered.front(), heard);
            rendered.pop_front();
        }
        const auto ahead = kFrame * static_cast<core::Milliseconds::rep>(rendered.size());
        const core::Milliseconds age = delay.delay() ? *delay.delay() + ahead : told - kDistrust;
        return std::clamp(age, core::Milliseconds{0}, kLongestDelay);
    }
};

EchoCanceller::EchoCanceller(std::unique_ptr<State> state) : m_state(std::move(state)) {}
EchoCanceller::EchoCanceller(EchoCanceller&&) noexcept = default;
EchoCanceller& EchoCanceller::operator=(EchoCanceller&&) noexcept = default;
EchoCanceller::~EchoCanceller() = default;

core::Expected<EchoCanceller, core::Error> EchoCanceller::create(Settings settings)
{
    webrtc::Config config;
    config.Set<webrtc::ExtendedFilter>(new webrtc::ExtendedFilter(true));
    config.Set<webrtc::DelayAgnostic>(new webrtc::DelayAgnostic(true));
    auto state = std::make_unique<State>();
    state->processing.reset(webrtc::AudioProcessing::Create(config));
    if (state->processing == nullptr) {
        return core::fail(core::ErrorCode::SoundFailed, "the voice processing could not be made");
    }
    webrtc::AudioProcessing& processing = *state->processing;
    bool isFine = processing.high_pass_filter()->Enable(true) == 0;
    // Any more and the user is not heard while the agent speaks (measured).
    isFine =
        isFine && processing.echo_cancellation()->set_suppression_level(webrtc::EchoCancellation::kLowSuppression) == 0;
    isFine = isFine && processing.echo_cancellation()->enable_drift_compensation(false) == 0;
    // Most of what is left of an echo is the canceller's own comfort noise; this takes it away too.
    isFine = isFine && processing.noise_suppression()->set_level(webrtc::NoiseSuppression::kHigh) == 0;
    isFine = isFine && processing.gain_control()->set_mode(webrtc::GainControl::kAdaptiveDigital) == 0;
    isFine = isFine && processing.gain_control()->enable_limiter(true) == 0;
    if (!isFine) {
        return core::fail(core::ErrorCode::SoundFailed, "the voice processing refused its settings");
    }
    prepare(state->near);
    prepare(state->far);
    EchoCanceller made(std::move(state));
    made.set(settings);
    return made;
}

void EchoCanceller::set(Settings settings)
{
    m_state->processing->echo_cancellation()->Enable(settings.isEchoCancelled);
    m_state->processing->noise_suppression()->Enable(settings.isNoiseSuppressed);
    m_state->processing->gain_control()->Enable(settings.isGainAutomatic);
}

void EchoCanceller::rendered(std::span<const std::int16_t, kFrameSamples> frame)
{
    std::copy(frame.begin(), frame.end(), m_state->far.data_);
    m_state->processing->ProcessReverseStream(&m_state->far);
    if (m_state->rendered.size() == kMostRendered) {
        m_state->rendered.pop_front();
    }
    std::copy(frame.begin(), frame.end(), m_state->rendered.emplace_back().begin());
}

void EchoCanceller::process(std::span<std::int16_t, kFrameSamples> frame, core::Milliseconds delay)
{
    std::copy(frame.begin(), frame.end(), m_state->near.data_);
    m_state->processing->set_stream_delay_ms(static_cast<int>(m_state->ageOfEcho(frame, delay).count()));
    if (m_state->processing->ProcessStream(&m_state->near) == 0) {
        std::copy_n(m_state->near.data_, kFrameSamples, frame.begin());
    }
}

} // namespace vivavoce::dsp
