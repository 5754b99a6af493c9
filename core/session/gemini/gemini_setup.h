#pragma once

#include "core/protocol/gemini/setup.h"
#include "core/protocol/openai/session_config.h"

#include <string_view>

namespace vivavoce::core {

/// What a session of that kind is for Gemini; what it has no word for is left out. Resumption and history are the caller's to add.
[[nodiscard]] gemini::Setup geminiSetup(const openai::Session& session, std::string_view model);

} // namespace vivavoce::core
