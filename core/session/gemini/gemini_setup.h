#pragma once

#include "core/protocol/gemini/setup.h"
#include "core/protocol/openai/session_config.h"

#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace vivavoce::core {

/// Whether a call of that function may take long; empty: of none.
using TakesTime = std::function<bool(const std::string& name)>;

/// What a session of that kind is for Gemini; what it has no word for is left out. Resumption and history are the caller's to add.
[[nodiscard]] gemini::Setup geminiSetup(
    const openai::Session& session, std::string_view model, const TakesTime& takesTime);

/// The model goes on talking while that function runs.
[[nodiscard]] bool runsBeside(const gemini::Setup& setup, std::string_view function);

/// Of these, the functions that it goes on talking beside.
[[nodiscard]] std::set<std::string> functionsBeside(
    const std::vector<openai::FunctionTool>& functions, std::string_view model, const TakesTime& takesTime);

} // namespace vivavoce::core
