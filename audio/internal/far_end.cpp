#include "audio/internal/far_end.h"

#include "core/base/thread_role.h"

namespace vivavoce::audio {
namespace {

constexpr std::size_t kFrame = dsp::EchoCanceller::kFrameSamples;

} // namespace

core::Expected<FarEnd, core::Error> FarEnd::create(core::SampleRate device)
{
    auto up = dsp::Resampler::create(device, dsp::EchoCanceller::kRate);
    if (!up) {
        return core::Unexpected<core::Error>(up.error());
    }
    return FarEnd(std::move(*up));
}

void FarEnd::pump(rt::SampleRing& played, dsp::EchoCanceller* processing, const Sink& sink)
{
    core::assertRole(core::ThreadRole::Worker);
    m_raw.resize(played.fill());
    m_raw.resize(played.read(m_raw));
    const std::vector<std::int16_t> wide = m_up.process(m_raw);
    sink(wide);
    if (processing == nullptr) {
        m_waiting.clear();
        return;
    }
    m_waiting.insert(m_waiting.end(), wide.begin(), wide.end());
    std::size_t done = 0;
    for (; m_waiting.size() - done >= kFrame; done += kFrame) {
        processing->rendered(std::span<const std::int16_t, kFrame>(m_waiting.data() + done, kFrame));
    }
    m_waiting.erase(m_waiting.begin(), m_waiting.begin() + static_cast<std::ptrdiff_t>(done));
}

} // namespace vivavoce::audio
