#include "agent/realtime/wire_audio.h"

#include "audio/dsp/resampler.h"
#include "core/base/g711.h"

#include <utility>

namespace vivavoce::agent::realtime {

namespace {

class ResamplingDecoder final : public WireDecoder {
public:
    ResamplingDecoder(WireFormat format, dsp::Resampler resampler) : m_format(format), m_resampler(std::move(resampler))
    {
    }

    std::vector<std::int16_t> decode(std::span<const std::uint8_t> bytes) override
    {
        std::vector<std::int16_t> samples;
        if (m_format == WireFormat::Pcm) {
            samples.reserve(bytes.size() / 2);
            for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
                samples.push_back(static_cast<std::int16_t>(bytes[at] | (bytes[at + 1] << 8)));
            }
        } else {
            samples.reserve(bytes.size());
            for (const std::uint8_t code : bytes) {
                samples.push_back(m_format == WireFormat::Pcmu ? core::decodeMuLaw(code) : core::decodeALaw(code));
            }
        }
        return m_resampler.process(samples);
    }

private:
    const WireFormat m_format;
    dsp::Resampler m_resampler;
};

class ResamplingEncoder final : public WireEncoder {
public:
    ResamplingEncoder(WireFormat format, dsp::Resampler resampler) : m_format(format), m_resampler(std::move(resampler))
    {
    }

    core::Bytes encode(std::span<const std::int16_t> samples) override { return write(m_resampler.process(samples)); }
    core::Bytes finish() override { return write(m_resampler.flush()); }

private:
    [[nodiscard]] core::Bytes write(const std::vector<std::int16_t>& samples) const
    {
        core::Bytes bytes;
        bytes.reserve(samples.size() * 2);
        for (const std::int16_t sample : samples) {
            if (m_format == WireFormat::Pcm) {
                const auto word = static_cast<std::uint16_t>(sample);
                bytes.push_back(static_cast<std::uint8_t>(word & 0xFFU));
                bytes.push_back(static_cast<std::uint8_t>(word >> 8U));
            } else {
                bytes.push_back(m_format == WireFormat::Pcmu ? core::encodeMuLaw(sample) : core::encodeALaw(sample));
            }
        }
        return bytes;
    }

    const WireFormat m_format;
    dsp::Resampler m_resampler;
};

} // namespace

core::Expected<std::unique_ptr<WireDecoder>, core::Error> WireDecoder::create(WireFormat format)
{
    auto resampler = dsp::Resampler::create(wireRate(format), core::kSpeechRate);
    if (!resampler) {
        return core::Unexpected<core::Error>(resampler.error());
    }
    return std::make_unique<ResamplingDecoder>(format, std::move(*resampler));
}

core::Expected<std::unique_ptr<WireEncoder>, core::Error> WireEncoder::create(
    core::SampleRate voiceRate, WireFormat format)
{
    auto resampler = dsp::Resampler::create(voiceRate, wireRate(format));
    if (!resampler) {
        return core::Unexpected<core::Error>(resampler.error());
    }
    return std::make_unique<ResamplingEncoder>(format, std::move(*resampler));
}

} // namespace vivavoce::agent::realtime
