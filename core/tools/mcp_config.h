#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/ports/line_process.h"

#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// A server of the Model Context Protocol that is started as a program.
struct McpServerConfig {
    std::string name;
    ProcessCommand command;

    bool operator==(const McpServerConfig&) const = default;
};

/// `{"mcpServers": {"name": {"command": …, "args": […], "env": {…}}}}`, as other programs have it; what else stands there is not ours to know. Servers that
/// are reached in another way (`url`) are refused, as are more than 20. BadConfiguration with what is wrong where.
[[nodiscard]] Expected<std::vector<McpServerConfig>, Error> parseMcpConfig(std::string_view text);

/// For people who decide by it: as it is where it is plain ASCII without blanks, quotes and backslashes, else as a JSON string with everything beyond ASCII
/// as `\u` escapes. No two words look the same.
[[nodiscard]] std::string quotedWord(const std::string& word);
/// For people: program and arguments in one line, each as quotedWord() has it.
[[nodiscard]] std::string commandLine(const ProcessCommand& command);
/// Another text for each other command, its environment included.
[[nodiscard]] std::string commandIdentity(const ProcessCommand& command);

} // namespace vivavoce::core
