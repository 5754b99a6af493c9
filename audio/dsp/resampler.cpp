#include "audio/dsp/resampler.h"

#include <speex/speex_resampler.h>

#include <algorithm>
#include <string>

namespace vivavoce::dsp {
namespace {

/// The library's best: 0 to 10. Even so a stream of speech costs less than 0.1 % of a core.
constexpr int kQuality = 10;

struct SpeexDeleter {
    void operator()(SpeexResamplerState* state) const { speex_resampler_destroy(state); }
};

} // namespace

struct Resampler::State {
    core::SampleRate from;
    core::SampleRate to;
    /// Null: the same rate.
    std::unique_ptr<SpeexResamplerState, SpeexDeleter> speex;
};

Resampler::Resampler(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Resampler::Resampler(Resampler&&) noexcept = default;
Resampler& Resampler::operator=(Resampler&&) noexcept = default;
Resampler::~Resampler() = default;

core::Expected<Resampler, core::Error> Resampler::create(core::SampleRate from, core::SampleRate to)
{
    if (!from.isValid() || !to.isValid()) {
        return core::fail(core::ErrorCode::SoundFailed,
            "no way from " + std::to_string(from.hz()) + " to " + std::to_string(to.hz()) + " Hz");
    }
    auto state = std::make_unique<State>();
    state->from = from;
    state->to = to;
    if (from != to) {
        int error = RESAMPLER_ERR_SUCCESS;
        state->speex.reset(speex_resampler_init(1, from.hz(), to.hz(), kQuality, &error));
        if (state->speex == nullptr || error != RESAMPLER_ERR_SUCCESS) {
            return core::fail(core::ErrorCode::SoundFailed, "the resampler could not be made");
        }
    }
    return Resampler(std::move(state));
}

std::vector<std::int16_t> Resampler::process(std::span<const std::int16_t> samples)
{
    if (m_state->speex == nullptr) {
        return {samples.begin(), samples.end()};
    }
    std::vector<std::int16_t> out;
    while (!samples.empty()) {
        const std::size_t room = samples.size() * m_state->to.hz() / m_state->from.hz() + 64;
        const std::size_t begin = out.size();
        out.resize(begin + room);
        auto taken = static_cast<spx_uint32_t>(samples.size());
        auto made = static_cast<spx_uint32_t>(room);
        speex_resampler_process_int(m_state->speex.get(), 0, samples.data(), &taken, out.data() + begin, &made);
        out.resize(begin + made);
        samples = samples.subspan(taken);
    }
    return out;
}

std::vector<std::int16_t> Resampler::flush()
{
    if (m_state->speex == nullptr) {
        return {};
    }
    const std::vector<std::int16_t> silence(
        static_cast<std::size_t>(speex_resampler_get_input_latency(m_state->speex.get())), 0);
    return process(silence);
}

std::vector<std::int16_t> resampled(std::span<const std::int16_t> samples, core::SampleRate from, core::SampleRate to)
{
    if (from == to) {
        return {samples.begin(), samples.end()};
    }
    const std::size_t size = from.hz() == 0 ? 0 : samples.size() * to.hz() / from.hz();
    std::vector<std::int16_t> out;
    if (auto resampler = Resampler::create(from, to)) {
        out = resampler->process(samples);
        const std::vector<std::int16_t> rest = resampler->flush();
        out.insert(out.end(), rest.begin(), rest.end());
        const auto late = std::min(static_cast<std::size_t>(resampler->latency().value()), out.size());
        out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(late));
    }
    out.resize(size);
    return out;
}

core::FrameCount Resampler::latency() const
{
    return core::FrameCount{m_state->speex == nullptr ? 0 : speex_resampler_get_output_latency(m_state->speex.get())};
}

} // namespace vivavoce::dsp
