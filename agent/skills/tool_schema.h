#pragma once

#include "agent/ports.h"
#include "agent/skills/words.h"
#include "core/base/json.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::agent::skills {

/// One argument of a declared function, read from its JSON Schema as far as speech can fill it.
struct ToolParameter {
    enum class Type { String, Number, Integer, Boolean, Array, Object };

    std::string name;
    Words nameWords;
    Words descriptionWords;
    Type type = Type::String;
    bool isRequired = false;
    /// JSON texts of the allowed values with the words that name them; empty: any value. For arrays: of the elements.
    struct Choice {
        std::string json;
        Words words;
    };
    std::vector<Choice> choices;
    /// For arrays: what the elements are.
    Type elementType = Type::String;
    std::optional<double> minimum;
    std::optional<double> maximum;
    /// JSON text.
    std::string defaultJson;
    /// For objects.
    std::vector<ToolParameter> children;
};

/// A declared function in words.
struct ToolSpec {
    std::string name;
    Words nameWords;
    Words descriptionWords;
    std::vector<ToolParameter> parameters;
};

/// Reads what was declared. A schema that cannot be read gives a function without arguments. [any thread; pure]
[[nodiscard]] ToolSpec readTool(const Tool& tool);

} // namespace vivavoce::agent::skills
