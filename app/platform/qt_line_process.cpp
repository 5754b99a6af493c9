#include "app/platform/qt_line_process.h"

#include "app/platform/child_group.h"
#include "core/base/process_memory.h"

#include <QProcessEnvironment>

#include <array>
#include <utility>

namespace vivavoce::platform {
namespace {

constexpr qsizetype kLongestLine = 4 * 1024 * 1024;
constexpr qint64 kMostUnwritten = 8 * 1024 * 1024;
/// Of SIGKILL.
constexpr int kKilledIsGone = 1'000;

/// What a program needs to run at all; nothing of it says who we are to others.
constexpr std::array kPassedOn{"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ",
    "USER", "APPDATA", "COMSPEC", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "PATHEXT", "PROGRAMDATA", "PROGRAMFILES",
    "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "USERNAME", "USERPROFILE", "WINDIR"};

QProcessEnvironment environmentOf(const core::ProcessCommand& command)
{
    const QProcessEnvironment ours = QProcessEnvironment::systemEnvironment();
    QProcessEnvironment theirs;
    for (const char* name : kPassedOn) {
        if (ours.contains(QString::fromLatin1(name))) {
            theirs.insert(QString::fromLatin1(name), ours.value(QString::fromLatin1(name)));
        }
    }
    for (const auto& [name, value] : command.environment) {
        theirs.insert(QString::fromStdString(name), QString::fromStdString(value));
    }
    return theirs;
}

} // namespace

QtLineProcess::~QtLineProcess()
{
    if (m_process != nullptr) {
        m_process->disconnect();
        killAll();
        m_process->waitForFinished(kKilledIsGone);
    }
}

void QtLineProcess::start(const core::ProcessCommand& command, core::LineProcessListener& listener)
{
    m_listener = &listener;
    m_process = std::make_unique<QProcess>();
    QProcess* const process = m_process.get();
    // Queued: a program that is not there says so from within the start.
    QObject::connect(
        process, &QProcess::errorOccurred, process,
        [this](QProcess::ProcessError error) {
            if (error == QProcess::FailedToStart) {
                end("it could not be started: " + m_process->errorString().toStdString());
            }
        },
        Qt::QueuedConnection);
    QObject::connect(process, &QProcess::readyReadStandardOutput, process, [this] { read(); });
    QObject::connect(process, &QProcess::finished, process, [this](int code, QProcess::ExitStatus status) {
        read();
        end(status == QProcess::NormalExit ? "it has ended with code " + std::to_string(code) : "it has crashed");
    });
    tieToUs(*process);
    process->setStandardErrorFile(QProcess::nullDevice());
    process->setProcessEnvironment(environmentOf(command));
    QStringList arguments;
    for (const std::string& argument : command.arguments) {
        arguments += QString::fromStdString(argument);
    }
    const core::ChildCoreLimit theirs;
    process->start(QString::fromStdString(command.program), arguments);
    m_group = process->processId();
}

void QtLineProcess::write(std::string_view line)
{
    if (m_process == nullptr || m_listener == nullptr || m_isDeaf) {
        return;
    }
    m_process->write(line.data(), static_cast<qint64>(line.size()));
    m_process->write("\n", 1);
    if (m_process->bytesToWrite() > kMostUnwritten) {
        m_isDeaf = true;
        // Whoever writes is not told from within.
        QMetaObject::invokeMethod(
            m_process.get(), [this] { end("it does not read what it is told"); }, Qt::QueuedConnection);
    }
}

void QtLineProcess::read()
{
    m_unread += m_process->readAllStandardOutput();
    qsizetype begin = 0;
    for (qsizetype at = m_unread.indexOf('\n'); at >= 0 && m_listener != nullptr; at = m_unread.indexOf('\n', begin)) {
        if (at - begin > kLongestLine) {
            break;
        }
        const std::string line(m_unread.constData() + begin, static_cast<std::size_t>(at - begin));
        begin = at + 1;
        m_listener->lineReceived(line);
    }
    m_unread.remove(0, begin);
    if (m_unread.size() > kLongestLine) {
        end("it said a line of more than 4 MiB");
    }
}

void QtLineProcess::killAll()
{
    killGroup(*m_process);
    killRestOfGroup(std::exchange(m_group, 0));
}

void QtLineProcess::end(const std::string& why)
{
    if (core::LineProcessListener* const listener = std::exchange(m_listener, nullptr)) {
        m_unread.clear();
        killAll();
        listener->processEnded({core::ErrorCode::ToolFailed, why, std::nullopt, {}});
    }
}

} // namespace vivavoce::platform
