#include "audio/dsp/echo_canceller.h"

#include "audio/dsp/echo_delay.h"
#include "audio/dsp/echo_guard.h"

#include <webrtc/common.h>
#include <webrtc/modules/audio_processing/include/audio_processing.h>
#include <webrtc/modules/interface/module_common_types.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <vector>

namespace vivavoce::dsp {
namespace {

/// The library refuses more.
constexpr core::Milliseconds kLongestDelay{500};
constexpr core::Milliseconds kFrame{10};
/// It forgives a hint that is 40 ms short, and not one that is 8 ms long (50 dB become 27 dB, measured): what devices tell is taken for less.
constexpr core::Milliseconds kDistrust{20};
/// Half a second: more lies between the two only where one of them has stopped.
constexpr std::size_t kMostRendered = 50;
/// Half a second, in which the threads of the devices have had their turns.
constexpr std::size_t kStepWindow = 50;
constexpr std::array<std::int16_t, EchoCanceller::kFrameSamples> kSilence{};
constexpr std::size_t kStumble = 2;

/// What the library's stages delay a pulse by, in frames (measured): its three bands, and what works on them.
constexpr std::int64_t kSplit = 47;
constexpr std::int64_t kInCanceller = 336;
constexpr std::int64_t kInSuppressor = 288;

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
    EchoGuard guard;
    bool isEchoCancelled = true;
    bool isNoiseSuppressed = true;
    /// What is handed on, or held back till it is.
    std::vector<std::int16_t> held;
    bool isHandedOn = true;
    /// Rendered frames that no captured one has been set beside yet.
    std::deque<std::array<std::int16_t, kFrameSamples>> rendered;

    /// The fewest and the most of them in the last half second, and what is usual.
    std::size_t fewest = kMostRendered;
    std::size_t most = 0;
    std::size_t sinceLook = 0;
    std::optional<std::size_t> usual;
    /// So many captured frames have no partner.
    std::size_t alone = 0;

    /// How old the far end of the echo in this frame is: found in the sound itself, or else as the devices tell.
    core::Milliseconds ageOfEcho(std::span<const std::int16_t> heard, core::Milliseconds told)
    {
        if (rendered.empty() || alone > 0) {
            alone -= alone > 0 ? 1 : 0;
            delay.add(kSilence, heard);
        } else {
            delay.add(rendered.front(), heard);
            rendered.pop_front();
        }
        keepInStep();
        const auto ahead = kFrame * static_cast<core::Milliseconds::rep>(usual.value_or(rendered.size()));
        const core::Milliseconds age = delay.delay() ? *delay.delay() + ahead : told - kDistrust;
        return std::clamp(age, core::Milliseconds{0}, kLongestDelay);
    }

    /// A microphone that loses something leaves what was played meanwhile without a partner, a loudspeaker that stumbles what was heard.
    /// Silence takes their place, or the delay that was found would be wrong for the seconds that it takes to find it anew.
    void keepInStep()
    {
        fewest = std::min(fewest, rendered.size());
        most = std::max(most, rendered.size());
        if (++sinceLook < kStepWindow) {
            return;
        }
        usual = usual.value_or(fewest);
        for (std::size_t extra = fewest; extra > *usual && !rendered.empty(); --extra) {
            delay.add(rendered.front(), kSilence);
            rendered.pop_front();
        }
        alone = most < *usual ? *usual - most : 0;
        // One frame is what two clocks drift apart in a minute, which the canceller follows.
        if (alone >= kStumble || (fewest != kMostRendered && fewest >= *usual + kStumble)) {
            guard.doubt();
        }
        fewest = kMostRendered;
        most = sinceLook = 0;
    }

    /// What was played while nobody listened.
    void skipUnheard()
    {
        while (rendered.size() > usual.value_or(0)) {
            delay.add(rendered.front(), kSilence);
            rendered.pop_front();
        }
        fewest = kMostRendered;
        most = sinceLook = 0;
        alone = 0;
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

core::FrameCount EchoCanceller::delay() const
{
    return core::FrameCount{
        kSplit + (m_state->isEchoCancelled ? kInCanceller : 0) + (m_state->isNoiseSuppressed ? kInSuppressor : 0)};
}

void EchoCanceller::set(Settings settings)
{
    m_state->isEchoCancelled = settings.isEchoCancelled;
    m_state->isNoiseSuppressed = settings.isNoiseSuppressed;
    m_state->processing->echo_cancellation()->Enable(settings.isEchoCancelled);
    m_state->processing->noise_suppression()->Enable(settings.isNoiseSuppressed);
    m_state->processing->gain_control()->Enable(settings.isGainAutomatic);
}

void EchoCanceller::cut()
{
    m_state->guard.cut();
}

void EchoCanceller::resumed()
{
    m_state->skipUnheard();
    m_state->guard.doubt();
}

void EchoCanceller::rendered(std::span<const std::int16_t, kFrameSamples> frame)
{
    std::copy(frame.begin(), frame.end(), m_state->far.data_);
    m_state->processing->ProcessReverseStream(&m_state->far);
    m_state->guard.rendered(frame);
    if (m_state->rendered.size() == kMostRendered) {
        m_state->rendered.pop_front();
    }
    std::copy(frame.begin(), frame.end(), m_state->rendered.emplace_back().begin());
}

std::span<const std::int16_t> EchoCanceller::cleaned() const
{
    return {m_state->near.data_, kFrameSamples};
}

std::span<const std::int16_t> EchoCanceller::process(
    std::span<const std::int16_t, kFrameSamples> frame, core::Milliseconds delay, bool isMuted)
{
    State& state = *m_state;
    std::copy(frame.begin(), frame.end(), state.near.data_);
    const core::Milliseconds age = state.ageOfEcho(frame, delay);
    state.processing->set_stream_delay_ms(static_cast<int>(age.count()));
    // A frame that it refuses goes on as it came.
    static_cast<void>(state.processing->ProcessStream(&state.near));
    const std::span<const std::int16_t> left = cleaned();
    const EchoGuard::Verdict verdict =
        state.guard.judge(frame, left, {state.delay.likeness(), state.delay.delay().has_value(), age});
    if (state.isHandedOn || verdict == EchoGuard::Verdict::Drop) {
        state.held.clear();
    }
    const bool isHeld = verdict == EchoGuard::Verdict::Hold && state.isEchoCancelled;
    if (isMuted) {
        // Here, and not when it is handed on: by then it may be on again.
        state.held.resize(state.held.size() + kFrameSamples);
    } else {
        // It is handed on only if there is no echo in it, and then a canceller that has not learnt yet does more harm than good.
        const std::span<const std::int16_t> kept = isHeld ? std::span<const std::int16_t>(frame) : left;
        state.held.insert(state.held.end(), kept.begin(), kept.end());
    }
    state.isHandedOn = !isHeld;
    return state.isHandedOn ? std::span<const std::int16_t>(state.held) : std::span<const std::int16_t>();
}

} // namespace vivavoce::dsp
