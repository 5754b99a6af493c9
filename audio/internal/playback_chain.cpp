#include "audio/internal/playback_chain.h"

#include "audio/dsp/echo_canceller.h"
#include "core/base/thread_role.h"

#include <algorithm>

namespace vivavoce::audio {
namespace {

constexpr core::Milliseconds kPiece{10};

} // namespace

PlaybackChain::PlaybackChain(core::SampleRate device, dsp::Resampler up, dsp::Resampler toDevice)
    : m_device(device), m_up(std::move(up)), m_toDevice(std::move(toDevice))
{
}

core::Expected<PlaybackChain, core::Error> PlaybackChain::create(core::SampleRate device)
{
    auto up = dsp::Resampler::create(core::kRealtimeRate, dsp::EchoCanceller::kRate);
    if (!up) {
        return core::Unexpected<core::Error>(up.error());
    }
    auto toDevice = dsp::Resampler::create(dsp::EchoCanceller::kRate, device);
    if (!toDevice) {
        return core::Unexpected<core::Error>(toDevice.error());
    }
    return PlaybackChain(device, std::move(*up), std::move(*toDevice));
}

void PlaybackChain::fill(rt::SampleRing& ring, core::FrameCount ahead, PlayoutQueue& queue, rt::LevelMeter& meter)
{
    core::assertRole(core::ThreadRole::Worker);
    const auto piece = static_cast<std::size_t>(core::FrameCount::of(kPiece, m_rate).value());
    while (ring.fill() < static_cast<std::size_t>(ahead.value())) {
        m_piece.resize(piece);
        queue.take(m_piece);
        meter.feed(m_piece);
        const std::vector<std::int16_t> wide = m_up.process(m_piece);
        const std::vector<std::int16_t> out = m_toDevice.process(wide);
        if (ring.write(out) < out.size()) {
            return;
        }
    }
}

void PlaybackChain::useRate(core::SampleRate rate)
{
    if (rate == m_rate) {
        return;
    }
    if (auto up = dsp::Resampler::create(rate, dsp::EchoCanceller::kRate)) {
        m_up = std::move(*up);
        m_queueBase = m_queueBase * rate.hz() / m_rate.hz();
        m_rate = rate;
    }
}

void PlaybackChain::restart(const rt::SampleRing& ring, const PlayoutQueue& queue)
{
    // They were made for these rates before, so they can be made again.
    if (auto up = dsp::Resampler::create(m_rate, dsp::EchoCanceller::kRate)) {
        m_up = std::move(*up);
    }
    if (auto toDevice = dsp::Resampler::create(dsp::EchoCanceller::kRate, m_device)) {
        m_toDevice = std::move(*toDevice);
    }
    m_ringBase = ring.written();
    m_queueBase = queue.given();
}

std::uint64_t PlaybackChain::heard(std::uint64_t taken, core::FrameCount latency) const
{
    const std::int64_t stages = m_toDevice.latency().value()
        + m_up.latency().value() * static_cast<std::int64_t>(m_device.hz())
            / static_cast<std::int64_t>(dsp::EchoCanceller::kRate.hz());
    const std::int64_t atEar =
        static_cast<std::int64_t>(taken) - static_cast<std::int64_t>(m_ringBase) - latency.value() - stages;
    const std::int64_t samples = std::max<std::int64_t>(atEar, 0) * static_cast<std::int64_t>(m_rate.hz())
        / static_cast<std::int64_t>(m_device.hz());
    return m_queueBase + static_cast<std::uint64_t>(samples);
}

} // namespace vivavoce::audio
