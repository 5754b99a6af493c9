#pragma once

#include "agent/skills/skill.h"
#include "agent/skills/tool_schema.h"
#include "core/base/json.h"

#include <string>
#include <vector>

/// Fills the arguments of a declared function with what was said, and with nothing else. Pure. [any thread]
namespace vivavoce::agent::skills {

/// The way to one argument: its name, or the object's and then its own.
using ParameterPath = std::vector<std::string>;

struct FilledArguments {
    /// JSON object text.
    std::string json = "{}";
    /// Required arguments that were not said (or not sayable so), in the order of the schema.
    std::vector<ParameterPath> missing;
    /// What is wrong with a value that was said ("volume must be between zero and ten"); empty if nothing.
    std::string complaint;
};

[[nodiscard]] FilledArguments fillArguments(const Utterance& utterance, const ToolSpec& tool);

/// Puts the answer to the question for `path` into arguments that were there before. `missing` then holds what still is;
/// `path` itself where the answer did not fit.
[[nodiscard]] FilledArguments completeArguments(
    const Utterance& answer, const ToolSpec& tool, const FilledArguments& before, const ParameterPath& path);

/// "Which city?", "Which size: small, medium or large?"
[[nodiscard]] std::string questionFor(const ToolSpec& tool, const ParameterPath& path);

} // namespace vivavoce::agent::skills
