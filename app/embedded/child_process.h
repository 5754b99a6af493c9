#pragma once

#include "core/base/error.h"
#include "core/base/secret.h"

#include <QElapsedTimer>
#include <QObject>
#include <QProcess>
#include <QStringList>
#include <QTimer>

#include <functional>
#include <string>
#include <vector>

namespace vivavoce::embedded {

/// A server of ours as a child: gets its credentials over a pipe, says where it listens, ends when the pipe closes.
/// Invariant: secrets go through standard input only, never through arguments or the environment.
/// Threads: the thread that made it.
class ChildProcess {
public:
    /// The URL that the child listens on, or ChildNotStarted, Timeout.
    using Ready = std::function<void(core::Expected<std::string, core::Error>)>;
    /// Called at most once, after Ready succeeded: the child ended by itself.
    using Died = std::function<void(core::Error)>;

    ChildProcess(std::string name, Ready ready, Died died);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// Before the start: a secret of the environment that this child needs.
    void keep(const QString& variable) { m_kept << variable; }
    /// Writes each secret as one line to the child's standard input, which stays open.
    void start(const QString& program, const QStringList& arguments,
        const std::vector<const core::Secret*>& secretLines, core::Milliseconds patience);
    /// The word to end. The destructor, which waits for that, counts from here on.
    void askToEnd();
    /// The same without waiting, and with patience for no longer than that: `gone` is called once there is no process, never from within this
    /// call. Nothing else is told any more.
    void end(std::function<void()> gone);
    [[nodiscard]] qint64 pid() const { return m_process.processId(); }

private:
    void readReadyLine();
    void overwriteSentSecrets();
    void ended();
    void answer(core::Expected<std::string, core::Error> result);
    void tellGone();
    [[nodiscard]] std::string lastWords() const;

    std::string m_name;
    Ready m_ready;
    Died m_died;
    std::function<void()> m_gone;
    QTimer m_deadline;
    QByteArray m_log;
    QStringList m_kept;
    /// Of what was written and may still lie in Qt's buffer.
    qsizetype m_secretBytes = 0;
    QElapsedTimer m_asked;
    QProcess m_process;
};

} // namespace vivavoce::embedded
