#pragma once

#include "core/tools/mcp_server.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::core {

/// The MCP servers of a configuration as one source of functions. None is started by itself.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it.
class McpServers final : public ToolSource {
public:
    struct Dependencies {
        Executor& executor;
        MakeLineProcess makeProcess;
        /// Of the program that we are.
        std::string version;
    };
    using Servers = std::vector<std::unique_ptr<McpServer>>;

    explicit McpServers(Dependencies dependencies) : m_deps(std::move(dependencies)) {}

    /// These from now on. One whose command is the same as before goes on as it was; the others are killed.
    void use(const std::vector<McpServerConfig>& configs);
    [[nodiscard]] const Servers& all() const { return m_servers; }
    /// Null: there is none of that name.
    [[nodiscard]] McpServer* find(const std::string& name) const;
    /// There are other servers, or one has another stage. One follower, besides that of the functions.
    void followServers(std::function<void()> changed) { m_serverFollower = std::move(changed); }

    [[nodiscard]] std::vector<Tool> tools() const override;
    [[nodiscard]] std::vector<std::string> remarks() const override;
    void follow(std::function<void()> changed) override { m_follower = std::move(changed); }
    void run(const ToolCall& call, Callback done) override;
    void cancel(const std::string& callId) override;
    void cancelAll() override;

private:
    void tell() const;

    Dependencies m_deps;
    Servers m_servers;
    std::function<void()> m_follower;
    std::function<void()> m_serverFollower;
};

} // namespace vivavoce::core
