#pragma once

#include "core/base/executor.h"
#include "core/ports/tool_runner.h"
#include "core/protocol/openai/session_config.h"

#include <QProcess>
#include <QStringList>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::cli {

/// Functions of the model that are commands of this computer: the arguments (JSON) go to standard input, the result is what
/// comes on standard output. The file is a JSON array of `{name, description, parameters, command: [program, argument…]}`.
/// A command that fails, says too much (64 KiB) or is not there ends as ToolFailed; the session sets the deadline.
/// Threads: the thread that made it.
class CommandTools final : public core::ToolRunner {
public:
    explicit CommandTools(core::Executor& executor) : m_executor(executor) {}
    ~CommandTools() override;

    /// BadUsage with what is wrong where.
    core::Expected<void, core::Error> load(const std::string& file);
    [[nodiscard]] const std::vector<core::openai::FunctionTool>& declarations() const { return m_declarations; }

    void run(const core::ToolCall& call, Callback done) override;
    void cancelAll() override;

private:
    void finished(QProcess* process, const Callback& done);

    core::Executor& m_executor;
    std::vector<core::openai::FunctionTool> m_declarations;
    std::map<std::string, QStringList> m_commands;
    std::vector<std::unique_ptr<QProcess>> m_running;
};

} // namespace vivavoce::cli
