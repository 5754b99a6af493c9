#pragma once

#include "core/ports/tool_runner.h"
#include "core/protocol/openai/session_config.h"

#include <functional>
#include <string>
#include <vector>

namespace vivavoce::core {

/// Whether a function that the model asks for runs: as it comes, when a person says yes, or not at all.
enum class ToolPolicy { Always, Ask, Never };

/// A function with what is to be known of it before it may run.
struct Tool {
    openai::FunctionTool declaration;
    /// Where it comes from, for people.
    std::string source;
    /// Unless a person decides otherwise.
    ToolPolicy policy = ToolPolicy::Ask;
    /// Nobody can decide that it runs without being asked for.
    bool alwaysAsks = false;
};

/// Port: some functions that belong together. It is given only what fits a function's parameters and may run; time and approval are others' work.
/// Threads: the executor's own thread. A follower is never called from within `tools`, `run` or `cancel`.
class ToolSource : public ToolRunner {
public:
    [[nodiscard]] virtual std::vector<Tool> tools() const = 0;
    /// Functions that it has but does not offer, and why: a line each, for people.
    [[nodiscard]] virtual std::vector<std::string> remarks() const { return {}; }
    /// There are other tools from now on. One follower.
    virtual void follow(std::function<void()> changed) = 0;
    /// Programs and networks do, unless the source knows better.
    [[nodiscard]] bool takesTime(const std::string&) const override { return true; }
};

} // namespace vivavoce::core
