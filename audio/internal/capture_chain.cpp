#include "audio/internal/capture_chain.h"

#include "core/base/thread_role.h"

#include <algorithm>

namespace vivavoce::audio {
namespace {

constexpr std::size_t kFrame = dsp::EchoCanceller::kFrameSamples;

} // namespace

CaptureChain::CaptureChain(core::SampleRate device, dsp::Resampler up, dsp::Resampler down)
    : m_device(device), m_up(std::move(up)), m_down(std::move(down))
{
}

core::Expected<CaptureChain, core::Error> CaptureChain::create(core::SampleRate device)
{
    auto up = dsp::Resampler::create(device, dsp::EchoCanceller::kRate);
    if (!up) {
        return core::Unexpected<core::Error>(up.error());
    }
    auto down = dsp::Resampler::create(dsp::EchoCanceller::kRate, core::kRealtimeRate);
    if (!down) {
        return core::Unexpected<core::Error>(down.error());
    }
    return CaptureChain(device, std::move(*up), std::move(*down));
}

void CaptureChain::useRate(core::SampleRate rate)
{
    if (rate == m_rate) {
        return;
    }
    if (auto down = dsp::Resampler::create(dsp::EchoCanceller::kRate, rate)) {
        m_down = std::move(*down);
        m_rate = rate;
    }
}

void CaptureChain::pump(rt::SampleRing& ring, dsp::EchoCanceller& processing, core::Milliseconds delay, bool isMuted,
    rt::LevelMeter& meter, const Sink& sink)
{
    core::assertRole(core::ThreadRole::Worker);
    m_raw.resize(ring.fill());
    m_raw.resize(ring.read(m_raw));
    const std::vector<std::int16_t> wide = m_up.process(m_raw);
    m_waiting.insert(m_waiting.end(), wide.begin(), wide.end());
    std::size_t done = 0;
    while (m_waiting.size() - done >= kFrame) {
        const std::span<const std::int16_t, kFrame> frame(m_waiting.data() + done, kFrame);
        const std::span<const std::int16_t> voice = processing.process(frame, delay, isMuted);
        meter.feed(processing.cleaned());
        m_held += kFrame;
        if (!voice.empty()) {
            const std::size_t dropped = m_held - std::min(voice.size(), m_held);
            m_held = 0;
            sink(m_down.process(voice), voice, core::FrameCount{static_cast<std::int64_t>(dropped)});
        }
        done += kFrame;
    }
    m_waiting.erase(m_waiting.begin(), m_waiting.begin() + static_cast<std::ptrdiff_t>(done));
}

} // namespace vivavoce::audio
