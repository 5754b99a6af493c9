#pragma once

#include "core/ports/line_process.h"

#include <QByteArray>
#include <QProcess>

#include <memory>

namespace vivavoce::platform {

/// A child whose standard input and output are lines of at most 4 MiB. It is ended when over 8 MiB wait for it to read them. What it says on standard error goes
/// nowhere. It is in a process group of its own, which is killed with it and when it ends; on Linux the child itself, though not its own children, does not outlive
/// us, however we end.
/// Threads: the main thread.
class QtLineProcess final : public core::LineProcess {
public:
    QtLineProcess() = default;
    ~QtLineProcess() override;

    void start(const core::ProcessCommand& command, core::LineProcessListener& listener) override;
    void write(std::string_view line) override;

private:
    void read();
    void end(const std::string& why);
    void killAll();

    std::unique_ptr<QProcess> m_process;
    core::LineProcessListener* m_listener = nullptr;
    QByteArray m_unread;
    /// The id of its group; QProcess forgets it when it ends.
    qint64 m_group = 0;
    bool m_isDeaf = false;
};

} // namespace vivavoce::platform
