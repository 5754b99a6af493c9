#include "core/tools/mcp_servers.h"

#include <algorithm>
#include <utility>

namespace vivavoce::core {

void McpServers::use(const std::vector<McpServerConfig>& configs)
{
    Servers next;
    for (const McpServerConfig& config : configs) {
        const auto same = std::find_if(m_servers.begin(), m_servers.end(), [&](const auto& server) {
            return server != nullptr && server->name() == config.name && server->command() == config.command;
        });
        if (same != m_servers.end()) {
            next.push_back(std::move(*same));
            continue;
        }
        next.push_back(std::make_unique<McpServer>(
            McpServer::Dependencies{m_deps.executor, m_deps.makeProcess, config, m_deps.version}));
        next.back()->follow([this] { tell(); });
    }
    // Whoever is told that one has stopped finds the new ones.
    std::swap(m_servers, next);
    for (const auto& old : next) {
        if (old != nullptr) {
            old->stop();
        }
    }
    tell();
}

McpServer* McpServers::find(const std::string& name) const
{
    const auto found =
        std::find_if(m_servers.begin(), m_servers.end(), [&](const auto& server) { return server->name() == name; });
    return found == m_servers.end() ? nullptr : found->get();
}

std::vector<Tool> McpServers::tools() const
{
    std::vector<Tool> all;
    for (const auto& server : m_servers) {
        const std::vector<Tool> some = server->tools();
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

std::vector<std::string> McpServers::remarks() const
{
    std::vector<std::string> all;
    for (const auto& server : m_servers) {
        const std::vector<std::string> some = server->remarks();
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

void McpServers::run(const ToolCall& call, Callback done)
{
    for (const auto& server : m_servers) {
        const std::vector<Tool> tools = server->tools();
        if (std::any_of(
                tools.begin(), tools.end(), [&](const Tool& tool) { return tool.declaration.name == call.name; })) {
            server->run(call, std::move(done));
            return;
        }
    }
    m_deps.executor.post([done = std::move(done)] { done(fail(ErrorCode::ToolFailed, "there is no such function")); });
}

void McpServers::cancel(const std::string& callId)
{
    for (const auto& server : m_servers) {
        server->cancel(callId);
    }
}

void McpServers::cancelAll()
{
    for (const auto& server : m_servers) {
        server->cancelAll();
    }
}

void McpServers::tell() const
{
    if (m_follower) {
        m_follower();
    }
    if (m_serverFollower) {
        m_serverFollower();
    }
}

} // namespace vivavoce::core
