#pragma once

#include <cstdint>

namespace vivavoce::core {

/// One sample of ITU-T G.711 from and to PCM16: "audio/pcmu" (µ-law) and "audio/pcma" (A-law), always 8 kHz. [any thread]
[[nodiscard]] std::uint8_t encodeMuLaw(std::int16_t sample);
[[nodiscard]] std::int16_t decodeMuLaw(std::uint8_t code);
[[nodiscard]] std::uint8_t encodeALaw(std::int16_t sample);
[[nodiscard]] std::int16_t decodeALaw(std::uint8_t code);

} // namespace vivavoce::core
