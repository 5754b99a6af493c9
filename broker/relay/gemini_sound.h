#pragma once

#include "core/base/units.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace vivavoce::broker::relay {

/// How much sound so many bytes hold of a type that Gemini names: "audio/pcm", 16-bit mono, with ";rate=" or at that rate. Nothing: it is no
/// such type, or its rate is none.
[[nodiscard]] std::optional<core::Milliseconds> geminiSound(
    std::string_view mimeType, std::size_t bytes, core::SampleRate unnamed);

} // namespace vivavoce::broker::relay
