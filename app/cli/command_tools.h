#pragma once

#include "core/base/executor.h"
#include "core/ports/tool_source.h"

#include <QProcess>
#include <QStringList>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::cli {

/// Functions of the model that are commands of this computer: the arguments (JSON) go to standard input, the result is what
/// comes on standard output. The file is a JSON array of `{name, description, parameters, command: [program, argument…], approval}`, the last of
/// which is `always` (also without it: whoever names the file wants them), `ask` or `never`.
/// A command that fails, says too much (64 KiB) or is not there ends as ToolFailed; the session sets the deadline. What says too much,
/// takes too long or is not wanted any more is killed, with all that it started. On Linux a command does not outlive us, however we end.
/// Threads: the thread that made it.
class CommandTools final : public core::ToolSource {
public:
    explicit CommandTools(core::Executor& executor) : m_executor(executor) {}
    ~CommandTools() override;

    /// BadUsage with what is wrong where.
    core::Expected<void, core::Error> load(const std::string& file);
    [[nodiscard]] std::vector<core::Tool> tools() const override { return m_tools; }
    void follow(std::function<void()>) override {}

    void run(const core::ToolCall& call, Callback done) override;
    void cancel(const std::string& callId) override;
    void cancelAll() override;

private:
    struct Command {
        std::string callId;
        std::unique_ptr<QProcess> process;
        QByteArray output;
        Callback done;
    };

    void read(QProcess* process);
    void finished(QProcess* process);
    void finish(QProcess* process, core::Expected<std::string, core::Error> result);
    [[nodiscard]] std::vector<Command>::iterator find(const QProcess* process);

    core::Executor& m_executor;
    std::vector<core::Tool> m_tools;
    std::map<std::string, QStringList> m_commands;
    std::vector<Command> m_running;
};

} // namespace vivavoce::cli
