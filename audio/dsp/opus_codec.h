#pragma once

#include "core/base/base64.h"
#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/units.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vivavoce::dsp {

/// Opus (RFC 6716) for speech: mono, frames of 20 ms. Rates: 8, 12, 16, 24 or 48 kHz.
inline constexpr core::Milliseconds kOpusFrame{20};

/// Threads: one at a time.
class OpusEncoder {
public:
    /// `bitsPerSecond`: 6,000 to 510,000; 32,000 carries speech well. SoundFailed for anything that Opus does not do.
    static core::Expected<OpusEncoder, core::Error> create(core::SampleRate rate, int bitsPerSecond);

    OpusEncoder(OpusEncoder&&) noexcept;
    OpusEncoder& operator=(OpusEncoder&&) noexcept;
    ~OpusEncoder();

    /// One frame of exactly 20 ms into one packet. SoundFailed for another length.
    [[nodiscard]] core::Expected<core::Bytes, core::Error> encode(std::span<const std::int16_t> frame);
    /// Samples that the codec delays by, at its own rate.
    [[nodiscard]] core::FrameCount latency() const;

private:
    struct State;
    explicit OpusEncoder(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

/// Threads: one at a time.
class OpusDecoder {
public:
    static core::Expected<OpusDecoder, core::Error> create(core::SampleRate rate);

    OpusDecoder(OpusDecoder&&) noexcept;
    OpusDecoder& operator=(OpusDecoder&&) noexcept;
    ~OpusDecoder();

    /// One packet of at most 120 ms. SoundFailed for bytes that are none.
    [[nodiscard]] core::Expected<std::vector<std::int16_t>, core::Error> decode(std::span<const std::uint8_t> packet);
    /// What a lost packet of 20 ms may have sounded like.
    [[nodiscard]] std::vector<std::int16_t> conceal();

private:
    struct State;
    explicit OpusDecoder(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace vivavoce::dsp
