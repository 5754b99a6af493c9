#pragma once

#include "core/base/executor.h"
#include "core/ports/line_process.h"
#include "core/ports/tool_source.h"
#include "core/tools/mcp_config.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// The functions of a server of the Model Context Protocol (2025-11-25, and back to 2024-11-05; JSON-RPC 2.0 in lines over standard input and output).
/// They are called `<server>__<function>`. Once the server has ended, says what is no JSON-RPC, or does not begin or tell its
/// functions again in 20 s, it has none. A list that changes is read again, once a second at most.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it.
class McpServer final : public ToolSource {
public:
    enum class Stage { Off, Starting, Ready, Failed };
    struct Dependencies {
        Executor& executor;
        MakeLineProcess makeProcess;
        McpServerConfig config;
        /// Of the program that we are.
        std::string version;
    };

    explicit McpServer(Dependencies dependencies);
    ~McpServer() override;

    /// Starts it; nothing where it runs.
    void start();
    /// Kills it; nothing where it does not run.
    void stop();
    [[nodiscard]] const std::string& name() const { return m_deps.config.name; }
    [[nodiscard]] const ProcessCommand& command() const { return m_deps.config.command; }
    [[nodiscard]] Stage stage() const { return m_stage; }
    /// Why it failed.
    [[nodiscard]] const std::optional<Error>& error() const { return m_error; }

    [[nodiscard]] std::vector<Tool> tools() const override { return m_tools; }
    [[nodiscard]] std::vector<std::string> remarks() const override { return m_remarks; }
    /// Also told: another stage.
    void follow(std::function<void()> changed) override { m_follower = std::move(changed); }
    void run(const ToolCall& call, Callback done) override;
    void cancel(const std::string& callId) override;
    void cancelAll() override;

private:
    using Answer = std::function<void(const nlohmann::json& result, const std::string& error)>;
    struct Call {
        std::int64_t request = 0;
        Callback done;
    };

    class Link;

    void lineReceived(std::string_view line);
    void take(const nlohmann::json& message);
    void serve(const nlohmann::json& id, const std::string& method);
    void initialised(const nlohmann::json& result, const std::string& error);
    void listTools(const std::string& cursor);
    void listed(const nlohmann::json& result, const std::string& error);
    void collect(const nlohmann::json& tool);
    void leaveOut(const std::string& tool, const std::string& why);
    void finishList();
    void listAgain();
    void endPause();
    void answered(const std::string& callId, const nlohmann::json& result, const std::string& error);
    std::int64_t request(const std::string& method, nlohmann::json params, Answer answer);
    void notify(const std::string& method, nlohmann::json params);
    void send(const nlohmann::json& message);
    void failed(Error why);
    void end(Stage stage, std::optional<Error> why);
    void letGo();
    void tell();

    Dependencies m_deps;
    Stage m_stage = Stage::Off;
    std::optional<Error> m_error;
    std::function<void()> m_follower;
    std::shared_ptr<Link> m_link;
    std::unique_ptr<Timer> m_deadline;
    std::int64_t m_lastRequest = 0;
    std::map<std::int64_t, Answer> m_requests;
    std::map<std::string, Call> m_calls;
    std::vector<Tool> m_tools;
    /// The server's own names, by ours.
    std::map<std::string, std::string> m_names;
    std::vector<std::string> m_remarks;
    std::vector<Tool> m_coming;
    std::map<std::string, std::string> m_comingNames;
    std::vector<std::string> m_comingRemarks;
    int m_pages = 0;
    bool m_isListing = false;
    /// The list has changed since we began to read it.
    bool m_isListStale = false;
    /// Until it is over, the list is not read again.
    std::unique_ptr<Timer> m_pause;
};

} // namespace vivavoce::core
