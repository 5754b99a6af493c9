#include "core/tools/live_tools.h"

#include <utility>

namespace vivavoce::core {

LiveTools::LiveTools(Dependencies dependencies) : m_deps(std::move(dependencies))
{
    m_deps.box.followTools([this] { tell(); });
    m_deps.mcp.followServers([this] { tell(); });
    if (!file().empty()) {
        auto configs = read(file());
        if (configs) {
            m_deps.mcp.use(*configs);
            startApproved();
        } else {
            m_fault = std::move(configs.error());
        }
    }
}

Expected<std::vector<McpServerConfig>, Error> LiveTools::read(const std::string& file) const
{
    const auto text = m_deps.readFile(file);
    if (!text) {
        return Unexpected<Error>(text.error());
    }
    auto configs = parseMcpConfig(*text);
    if (!configs) {
        return fail(configs.error().code, file + ": " + configs.error().detail);
    }
    return configs;
}

Expected<void, Error> LiveTools::useFile(const std::string& file)
{
    std::vector<McpServerConfig> next;
    if (!file.empty()) {
        auto configs = read(file);
        if (!configs) {
            return Unexpected<Error>(std::move(configs.error()));
        }
        next = std::move(*configs);
    }
    m_fault.reset();
    change([&](Settings& settings) { settings.mcpFile = file; });
    m_deps.mcp.use(next);
    startApproved();
    tell();
    return {};
}

void LiveTools::startApproved()
{
    for (const auto& server : m_deps.mcp.all()) {
        if (isApproved(*server) && server->stage() == McpServer::Stage::Off) {
            server->start();
        }
    }
}

std::string LiveTools::fingerprint(const ProcessCommand& command) const
{
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    for (const std::uint8_t byte : m_deps.sha256(commandIdentity(command))) {
        hex += kDigits[byte >> 4U];
        hex += kDigits[byte & 0xfU];
    }
    return hex;
}

bool LiveTools::isApproved(const McpServer& server) const
{
    const auto& approved = m_deps.settings.current().approvedServers;
    const auto found = approved.find(server.name());
    return found != approved.end() && found->second == fingerprint(server.command());
}

std::vector<ToolServer> LiveTools::servers() const
{
    std::vector<ToolServer> all;
    for (const auto& server : m_deps.mcp.all()) {
        ToolServer shown{server->name(), commandLine(server->command()), {}, ToolServer::Stage::Off, server->error(),
            fingerprint(server->command())};
        for (const auto& variable : server->command().environment) {
            shown.environment.push_back(quotedWord(variable.first));
        }
        if (!isApproved(*server)) {
            shown.stage = ToolServer::Stage::NotApproved;
        } else if (server->stage() == McpServer::Stage::Starting) {
            shown.stage = ToolServer::Stage::Starting;
        } else if (server->stage() == McpServer::Stage::Ready) {
            shown.stage = ToolServer::Stage::Ready;
        } else if (server->stage() == McpServer::Stage::Failed) {
            shown.stage = ToolServer::Stage::Failed;
        }
        all.push_back(std::move(shown));
    }
    return all;
}

void LiveTools::decide(const std::string& tool, ToolPolicy policy)
{
    change([&](Settings& settings) { settings.toolPolicies[tool] = policy; });
    tell();
}

void LiveTools::approve(const std::string& server, const std::string& shown)
{
    McpServer* const found = m_deps.mcp.find(server);
    if (found == nullptr || fingerprint(found->command()) != shown) {
        return;
    }
    change([&](Settings& settings) { settings.approvedServers[server] = shown; });
    found->start();
    tell();
}

void LiveTools::withdraw(const std::string& server)
{
    change([&](Settings& settings) { settings.approvedServers.erase(server); });
    if (McpServer* const found = m_deps.mcp.find(server)) {
        found->stop();
    }
    tell();
}

void LiveTools::startAgain(const std::string& server)
{
    McpServer* const found = m_deps.mcp.find(server);
    if (found != nullptr && isApproved(*found)) {
        found->start();
    }
}

void LiveTools::change(const std::function<void(Settings&)>& edit)
{
    Settings wanted = m_deps.settings.current();
    edit(wanted);
    const auto saved = m_deps.settings.change(wanted);
    m_saveFault = saved ? std::nullopt : std::optional(saved.error());
}

void LiveTools::tell() const
{
    for (const Follower& follower : std::vector(m_followers)) {
        follower();
    }
}

} // namespace vivavoce::core
