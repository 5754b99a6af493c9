#include "audio/dsp/opus_codec.h"

#include <opus.h>

#include <algorithm>

namespace vivavoce::dsp {
namespace {

/// RFC 6716 §3.4: a packet of one frame is never longer.
constexpr std::size_t kLongestPacket = 1275;
constexpr core::Milliseconds kLongestFrame{120};

struct EncoderDeleter {
    void operator()(::OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
};
struct DecoderDeleter {
    void operator()(::OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }
};

auto failed(const char* what)
{
    return core::fail(core::ErrorCode::SoundFailed, what);
}

} // namespace

struct OpusEncoder::State {
    std::unique_ptr<::OpusEncoder, EncoderDeleter> encoder;
    std::size_t frame = 0;
};

OpusEncoder::OpusEncoder(std::unique_ptr<State> state) : m_state(std::move(state)) {}
OpusEncoder::OpusEncoder(OpusEncoder&&) noexcept = default;
OpusEncoder& OpusEncoder::operator=(OpusEncoder&&) noexcept = default;
OpusEncoder::~OpusEncoder() = default;

core::Expected<OpusEncoder, core::Error> OpusEncoder::create(core::SampleRate rate, int bitsPerSecond)
{
    int error = OPUS_OK;
    auto state = std::make_unique<State>();
    state->encoder.reset(opus_encoder_create(static_cast<opus_int32>(rate.hz()), 1, OPUS_APPLICATION_VOIP, &error));
    if (error != OPUS_OK || opus_encoder_ctl(state->encoder.get(), OPUS_SET_BITRATE(bitsPerSecond)) != OPUS_OK) {
        return failed("Opus does not do that rate");
    }
    state->frame = static_cast<std::size_t>(core::FrameCount::of(kOpusFrame, rate).value());
    return OpusEncoder(std::move(state));
}

core::Expected<core::Bytes, core::Error> OpusEncoder::encode(std::span<const std::int16_t> frame)
{
    if (frame.size() != m_state->frame) {
        return failed("Opus takes frames of 20 ms");
    }
    core::Bytes packet(kLongestPacket);
    const opus_int32 size = opus_encode(m_state->encoder.get(), frame.data(), static_cast<int>(frame.size()),
        packet.data(), static_cast<opus_int32>(packet.size()));
    if (size < 0) {
        return failed(opus_strerror(size));
    }
    packet.resize(static_cast<std::size_t>(size));
    return packet;
}

core::FrameCount OpusEncoder::latency() const
{
    opus_int32 frames = 0;
    opus_encoder_ctl(m_state->encoder.get(), OPUS_GET_LOOKAHEAD(&frames));
    return core::FrameCount{frames};
}

struct OpusDecoder::State {
    std::unique_ptr<::OpusDecoder, DecoderDeleter> decoder;
    core::SampleRate rate;
};

OpusDecoder::OpusDecoder(std::unique_ptr<State> state) : m_state(std::move(state)) {}
OpusDecoder::OpusDecoder(OpusDecoder&&) noexcept = default;
OpusDecoder& OpusDecoder::operator=(OpusDecoder&&) noexcept = default;
OpusDecoder::~OpusDecoder() = default;

core::Expected<OpusDecoder, core::Error> OpusDecoder::create(core::SampleRate rate)
{
    int error = OPUS_OK;
    auto state = std::make_unique<State>();
    state->rate = rate;
    state->decoder.reset(opus_decoder_create(static_cast<opus_int32>(rate.hz()), 1, &error));
    if (error != OPUS_OK) {
        return failed("Opus does not do that rate");
    }
    return OpusDecoder(std::move(state));
}

core::Expected<std::vector<std::int16_t>, core::Error> OpusDecoder::decode(std::span<const std::uint8_t> packet)
{
    if (packet.empty()) {
        // To the library that would be a lost packet.
        return failed("an empty Opus packet");
    }
    std::vector<std::int16_t> samples(
        static_cast<std::size_t>(core::FrameCount::of(kLongestFrame, m_state->rate).value()));
    const int frames = opus_decode(m_state->decoder.get(), packet.data(), static_cast<opus_int32>(packet.size()),
        samples.data(), static_cast<int>(samples.size()), 0);
    if (frames < 0) {
        return failed(opus_strerror(frames));
    }
    samples.resize(static_cast<std::size_t>(frames));
    return samples;
}

std::vector<std::int16_t> OpusDecoder::conceal()
{
    std::vector<std::int16_t> samples(
        static_cast<std::size_t>(core::FrameCount::of(kOpusFrame, m_state->rate).value()));
    const int frames =
        opus_decode(m_state->decoder.get(), nullptr, 0, samples.data(), static_cast<int>(samples.size()), 0);
    samples.resize(static_cast<std::size_t>(std::max(frames, 0)));
    return samples;
}

} // namespace vivavoce::dsp
