#include "core/tools/mcp_config.h"

#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace vivavoce::core {
namespace {

constexpr std::size_t kMostServers = 20;
constexpr std::size_t kLongestName = 40;

Unexpected<Error> bad(const std::string& what)
{
    return fail(ErrorCode::BadConfiguration, what);
}

/// It begins the names of the server's functions.
bool isName(const std::string& name)
{
    return !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

bool areTexts(const Json& values)
{
    return std::all_of(values.begin(), values.end(), [](const Json& value) {
        // Neither a command line nor an environment can hold it.
        return value.is_string() && value.get_ref<const std::string&>().find('\0') == std::string::npos;
    });
}

Expected<ProcessCommand, Error> readCommand(const std::string& name, const Json& entry)
{
    const std::string place = "server \"" + name + "\": ";
    if (!entry.is_object() || !entry.contains("command") || !entry["command"].is_string()
        || entry["command"].get_ref<const std::string&>().empty() || !areTexts(Json::array({entry["command"]}))) {
        return bad(place + "needs a \"command\"; only servers that are started as programs are known");
    }
    const Json arguments = entry.value("args", Json::array());
    if (!arguments.is_array() || !areTexts(arguments)) {
        return bad(place + "\"args\" is not a list of texts");
    }
    const Json environment = entry.value("env", Json::object());
    if (!environment.is_object() || !areTexts(environment)) {
        return bad(place + "\"env\" is not an object of texts");
    }
    ProcessCommand command;
    command.program = entry["command"];
    command.arguments = arguments.get<std::vector<std::string>>();
    command.environment = environment.get<std::map<std::string, std::string>>();
    return command;
}

} // namespace

Expected<std::vector<McpServerConfig>, Error> parseMcpConfig(std::string_view text)
{
    const auto json = parseJson(text);
    if (!json) {
        return bad(json.error().detail);
    }
    if (!json->is_object() || !json->contains("mcpServers") || !(*json)["mcpServers"].is_object()) {
        return bad("it has no object \"mcpServers\"");
    }
    const Json& servers = (*json)["mcpServers"];
    if (servers.size() > kMostServers) {
        return bad("it has more than 20 servers");
    }
    std::vector<McpServerConfig> found;
    for (const auto& [name, entry] : servers.items()) {
        if (!isName(name)) {
            return bad("the name of a server has up to 40 letters, digits, _ and -");
        }
        auto command = readCommand(name, entry);
        if (!command) {
            return Unexpected<Error>(command.error());
        }
        found.push_back({name, std::move(*command)});
    }
    return found;
}

std::string quotedWord(const std::string& word)
{
    const bool isPlain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return c > ' ' && c < '\x7f' && c != '"' && c != '\'' && c != '\\';
    });
    return isPlain ? word : Json(word).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string commandLine(const ProcessCommand& command)
{
    std::string line = quotedWord(command.program);
    for (const std::string& argument : command.arguments) {
        line += ' ' + quotedWord(argument);
    }
    return line;
}

std::string commandIdentity(const ProcessCommand& command)
{
    return writeJson({{"command", command.program}, {"args", command.arguments}, {"env", command.environment}});
}

} // namespace vivavoce::core
