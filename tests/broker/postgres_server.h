#pragma once

#include <QProcess>
#include <QTemporaryDir>

#include <csignal>
#include <string>

namespace vivavoce::tests {

/// A real PostgreSQL of the test's own, on a unix socket in a folder of its own. Killed when it goes.
/// PostgreSQL refuses to run as root: there it runs as the user that its package makes.
class PostgresServer {
public:
    /// Empty: it can be started. Else what is missing.
    [[nodiscard]] static QString missing();

    PostgresServer() = default;
    ~PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    /// Makes the database where it is not there yet, starts the server and waits until it answers.
    [[nodiscard]] bool start();
    /// At once, connections and all.
    void stop();
    /// All of it stands still, as with a host that is gone, until `thaw`.
    void freeze() { signalAll(SIGSTOP); }
    void thaw() { signalAll(SIGCONT); }
    /// Where its socket lies.
    [[nodiscard]] std::string folder() const { return m_folder.path().toStdString(); }
    [[nodiscard]] std::string url() const;

private:
    void signalAll(int number) const;
    [[nodiscard]] bool run(const QString& program, const QStringList& arguments);

    QTemporaryDir m_folder;
    QProcess m_server;
};

} // namespace vivavoce::tests
