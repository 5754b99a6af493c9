#pragma once

#include "core/protocol/gemini/server_messages.h"
#include "core/protocol/openai/response.h"

namespace vivavoce::core {

/// One snapshot in the session's own words: what tools and thoughts took is text, and video is images.
[[nodiscard]] openai::Usage usageOf(const gemini::UsageMetadata& snapshot);

/// Both together.
[[nodiscard]] openai::Usage sumOf(const openai::Usage& one, const openai::Usage& other);

} // namespace vivavoce::core
