#include "tests/broker/postgres_server.h"

#include "tests/support/thread_sanitizer.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QStandardPaths>

#include <csignal>
#include <unistd.h>

namespace vivavoce::tests {
namespace {

constexpr int kPatience = 30'000;

QString programPath(const QString& name)
{
    QStringList folders;
    const QDir versions(QStringLiteral("/usr/lib/postgresql"));
    for (const QString& version : versions.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        folders << versions.filePath(version) + QStringLiteral("/bin");
    }
    const QString found = QStandardPaths::findExecutable(name, folders);
    return found.isEmpty() ? QStandardPaths::findExecutable(name) : found;
}

/// setpriv: as somebody else where we are root, and gone when we are.
QStringList prefix()
{
    QStringList words{QStringLiteral("--pdeathsig"), QStringLiteral("KILL")};
    if (::geteuid() == 0) {
        words << QStringLiteral("--reuid=postgres") << QStringLiteral("--regid=postgres")
              << QStringLiteral("--clear-groups");
    }
    return words << QStringLiteral("--");
}

} // namespace

QString PostgresServer::missing()
{
    if (!kCanStartProcesses) {
        return QStringLiteral("ThreadSanitizer does not survive it: nothing of PostgreSQL is tried");
    }
    for (const char* program : {"initdb", "postgres", "pg_isready"}) {
        if (programPath(QString::fromLatin1(program)).isEmpty()) {
            return QString::fromLatin1(program) + QStringLiteral(" is not installed");
        }
    }
    return QStandardPaths::findExecutable(QStringLiteral("setpriv")).isEmpty()
        ? QStringLiteral("setpriv is not installed")
        : QString();
}

PostgresServer::~PostgresServer()
{
    stop();
}

bool PostgresServer::run(const QString& program, const QStringList& arguments)
{
    QProcess process;
    process.setWorkingDirectory(m_folder.path());
    process.start(QStringLiteral("setpriv"), prefix() << programPath(program) << arguments);
    return process.waitForFinished(kPatience) && process.exitStatus() == QProcess::NormalExit
        && process.exitCode() == 0;
}

bool PostgresServer::start()
{
    const QString data = m_folder.filePath(QStringLiteral("data"));
    if (::geteuid() == 0) {
        QProcess::execute(QStringLiteral("chown"), {QStringLiteral("postgres:postgres"), m_folder.path()});
    }
    if (!QDir(data).exists()
        && !run(QStringLiteral("initdb"),
            {QStringLiteral("-D"), data, QStringLiteral("-A"), QStringLiteral("trust"), QStringLiteral("-U"),
                QStringLiteral("vivavoce"), QStringLiteral("-E"), QStringLiteral("UTF8"), QStringLiteral("--no-locale"),
                QStringLiteral("--no-sync")})) {
        return false;
    }
    m_server.setWorkingDirectory(m_folder.path());
    m_server.setStandardErrorFile(m_folder.filePath(QStringLiteral("log")));
    m_server.start(QStringLiteral("setpriv"),
        prefix() << programPath(QStringLiteral("postgres")) << QStringLiteral("-D") << data << QStringLiteral("-k")
                 << m_folder.path() << QStringLiteral("-c") << QStringLiteral("listen_addresses=")
                 << QStringLiteral("-c") << QStringLiteral("fsync=off"));
    if (!m_server.waitForStarted(kPatience)) {
        return false;
    }
    QElapsedTimer since;
    since.start();
    while (since.elapsed() < kPatience && m_server.state() == QProcess::Running) {
        if (run(QStringLiteral("pg_isready"),
                {QStringLiteral("-h"), m_folder.path(), QStringLiteral("-U"), QStringLiteral("vivavoce"),
                    QStringLiteral("-d"), QStringLiteral("postgres")})) {
            return true;
        }
        m_server.waitForFinished(20);
    }
    return false;
}

void PostgresServer::stop()
{
    if (m_server.state() == QProcess::NotRunning) {
        return;
    }
    thaw();
    // setpriv has become the server. SIGINT is its fast way out.
    ::kill(static_cast<pid_t>(m_server.processId()), SIGINT);
    if (!m_server.waitForFinished(kPatience)) {
        m_server.kill();
        m_server.waitForFinished();
    }
}

void PostgresServer::signalAll(int number) const
{
    const auto parent = m_server.processId();
    ::kill(static_cast<pid_t>(parent), number);
    for (const QString& name : QDir(QStringLiteral("/proc")).entryList(QDir::Dirs)) {
        QFile file(QStringLiteral("/proc/") + name + QStringLiteral("/stat"));
        if (name.toLongLong() <= 0 || !file.open(QIODevice::ReadOnly)) {
            continue;
        }
        // Behind the program's name, which may hold anything: the state, and whose child it is.
        const QByteArray text = file.readAll();
        if (text.mid(text.lastIndexOf(')') + 2).split(' ').value(1).toLongLong() == parent) {
            ::kill(static_cast<pid_t>(name.toLongLong()), number);
        }
    }
}

std::string PostgresServer::url() const
{
    return "postgresql://vivavoce@/postgres?host=" + m_folder.path().toStdString();
}

} // namespace vivavoce::tests
