#pragma once

#include "agent/realtime/session_settings.h"
#include "core/base/base64.h"
#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/units.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vivavoce::agent::realtime {

/// From the wire to what recognisers take: PCM16 mono at core::kSpeechRate. Keeps state across chunks. [worker, one session]
class WireDecoder {
public:
    static core::Expected<std::unique_ptr<WireDecoder>, core::Error> create(WireFormat format);
    virtual ~WireDecoder() = default;
    [[nodiscard]] virtual std::vector<std::int16_t> decode(std::span<const std::uint8_t> bytes) = 0;
};

/// From a voice to the wire. Keeps state across chunks of one utterance. [worker, one reply]
class WireEncoder {
public:
    static core::Expected<std::unique_ptr<WireEncoder>, core::Error> create(
        core::SampleRate voiceRate, WireFormat format);
    virtual ~WireEncoder() = default;
    [[nodiscard]] virtual core::Bytes encode(std::span<const std::int16_t> samples) = 0;
    /// What the resampler still holds, at the end.
    [[nodiscard]] virtual core::Bytes finish() = 0;
};

} // namespace vivavoce::agent::realtime
