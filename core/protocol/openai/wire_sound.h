#pragma once

#include "core/base/base64.h"
#include "core/protocol/openai/session_config.h"

#include <cstdint>
#include <span>

namespace vivavoce::core::openai {

/// PCM16, little endian, as a session's format carries it, and back; at the format's own rate. Pure. [any thread]
/// An odd last byte of PCM is left out of G.711.
[[nodiscard]] Bytes wireSound(std::span<const std::uint8_t> pcm, AudioEncoding encoding);
[[nodiscard]] Bytes pcmOfWire(Bytes sound, AudioEncoding encoding);

} // namespace vivavoce::core::openai
