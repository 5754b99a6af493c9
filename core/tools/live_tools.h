#pragma once

#include "core/ports/tool_catalog.h"
#include "core/settings/live_settings.h"
#include "core/sign_in/proof_key.h"
#include "core/tools/mcp_servers.h"
#include "core/tools/tool_box.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::core {

/// A person's decisions about functions, kept in the settings: reads the file of MCP servers, and starts those that were approved as they are.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it, and it them only by moments in which nothing changes.
class LiveTools final : public ToolCatalog {
public:
    struct Dependencies {
        LiveSettings& settings;
        ToolBox& box;
        McpServers& mcp;
        std::function<Expected<std::string, Error>(const std::string& file)> readFile;
        Sha256 sha256;
    };

    explicit LiveTools(Dependencies dependencies);

    void follow(Follower follower) override { m_followers.push_back(std::move(follower)); }
    [[nodiscard]] std::vector<OfferedTool> tools() const override { return m_deps.box.tools(); }
    [[nodiscard]] std::vector<std::string> remarks() const override { return m_deps.box.remarks(); }
    void decide(const std::string& tool, ToolPolicy policy) override;
    [[nodiscard]] std::string file() const override { return m_deps.settings.current().mcpFile; }
    [[nodiscard]] std::optional<Error> fileFault() const override { return m_saveFault ? m_saveFault : m_fault; }
    Expected<void, Error> useFile(const std::string& file) override;
    [[nodiscard]] std::vector<ToolServer> servers() const override;
    void approve(const std::string& server, const std::string& shown) override;
    void withdraw(const std::string& server) override;
    void startAgain(const std::string& server) override;

private:
    [[nodiscard]] Expected<std::vector<McpServerConfig>, Error> read(const std::string& file) const;
    [[nodiscard]] std::string fingerprint(const ProcessCommand& command) const;
    [[nodiscard]] bool isApproved(const McpServer& server) const;
    void startApproved();
    void change(const std::function<void(Settings&)>& edit);
    void tell() const;

    Dependencies m_deps;
    std::optional<Error> m_fault;
    std::optional<Error> m_saveFault;
    std::vector<Follower> m_followers;
};

} // namespace vivavoce::core
