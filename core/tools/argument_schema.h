#pragma once

#include "core/base/expected.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// The parameters of a function (JSON Schema), made ready to hold arguments against. Refused are schemas that are none, that go round in a circle
/// or are over 20,000 parts with all references followed, and references to elsewhere. [any thread], one at a time
class ArgumentSchema {
public:
    /// `schema` is JSON text. The error says what is wrong with it, in one line.
    [[nodiscard]] static Expected<ArgumentSchema, std::string> create(std::string_view schema);

    /// The arguments as they are to be given to the function, or what is wrong with them and where, in one line for the model.
    /// No text at all stands for no arguments.
    [[nodiscard]] Expected<std::string, std::string> check(std::string_view arguments) const;
    /// Keywords in it that are not held against anything: what they ask for is left to the function.
    [[nodiscard]] const std::vector<std::string>& ignored() const { return m_ignored; }

private:
    struct Compiled;

    ArgumentSchema() = default;

    std::shared_ptr<const Compiled> m_compiled;
    std::vector<std::string> m_ignored;
};

} // namespace vivavoce::core
