#include "app/embedded/child_process.h"

#include "core/base/json.h"
#include "core/base/process_memory.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#ifdef Q_OS_UNIX
#include <unistd.h>
#endif

namespace vivavoce::embedded {
namespace {

using core::ErrorCode;

constexpr qsizetype kKeptLogBytes = 8 * 1024;
/// Nothing of a child's outlives it, so what it still waits for is nobody's loss.
constexpr qint64 kPoliteEndMs = 500;
/// Secrets, and where they are, that a user's shell may hold for other programs of ours. A child gets its own over the pipe.
constexpr std::array kWithheld{"OPENAI_API_KEY", "OPENAI_API_KEY_FILE", "GEMINI_API_KEY", "GEMINI_API_KEY_FILE",
    "JWT_SECRET", "JWT_SECRET_FILE", "JWT_SECRET_PREVIOUS", "JWT_SECRET_PREVIOUS_FILE", "DATABASE_URL",
    "DATABASE_URL_FILE", "REDIS_URL", "REDIS_URL_FILE", "CREDENTIALS_DIRECTORY", "VIVAVOCE_CREDENTIAL",
    "VIVAVOCE_CHAT_API_KEY"};

/// Where a child of ours listens, from its first line of output.
std::optional<std::string> listeningUrl(const QByteArray& line)
{
    const auto parsed = core::parseJson({line.constData(), static_cast<std::size_t>(line.size())});
    if (!parsed || !parsed->is_object() || parsed->value("event", core::Json()) != "listening"
        || !parsed->contains("url") || !(*parsed)["url"].is_string()) {
        return std::nullopt;
    }
    return (*parsed)["url"].get<std::string>();
}

} // namespace

ChildProcess::ChildProcess(std::string name, Ready ready, Died died)
    : m_name(std::move(name)), m_ready(std::move(ready)), m_died(std::move(died))
{
    m_deadline.setSingleShot(true);
    QObject::connect(&m_process, &QProcess::readyReadStandardOutput, &m_deadline, [this] { readReadyLine(); });
    QObject::connect(&m_process, &QProcess::readyReadStandardError, &m_deadline, [this] {
        m_log.append(m_process.readAllStandardError());
        m_log = m_log.right(kKeptLogBytes);
    });
    QObject::connect(&m_process, &QProcess::errorOccurred, &m_deadline, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart && m_gone) {
            tellGone();
        } else if (error == QProcess::FailedToStart) {
            answer(core::fail(ErrorCode::ChildNotStarted,
                m_name + " could not be started: " + m_process.errorString().toStdString()));
        }
    });
    QObject::connect(&m_process, &QProcess::bytesWritten, &m_deadline, [this] { overwriteSentSecrets(); });
    QObject::connect(&m_process, &QProcess::finished, &m_deadline, [this] { ended(); });
}

ChildProcess::~ChildProcess()
{
    m_process.disconnect(&m_deadline);
    if (m_process.state() == QProcess::NotRunning) {
        return;
    }
    askToEnd();
    // The rest is for a child that does not listen.
    const qint64 left = std::max<qint64>(kPoliteEndMs - m_asked.elapsed(), 0);
    if (!m_process.waitForFinished(static_cast<int>(left))) {
        m_process.kill();
        m_process.waitForFinished(kPoliteEndMs);
    }
}

void ChildProcess::askToEnd()
{
    if (!m_asked.isValid()) {
        m_asked.start();
        // The end of the pipe says it.
        m_process.closeWriteChannel();
    }
}

void ChildProcess::end(std::function<void()> gone)
{
    m_ready = nullptr;
    m_died = nullptr;
    m_gone = std::move(gone);
    const bool isRunning = m_process.state() != QProcess::NotRunning;
    if (isRunning) {
        askToEnd();
    }
    m_deadline.disconnect();
    QObject::connect(&m_deadline, &QTimer::timeout, &m_deadline, [this] {
        if (m_process.state() == QProcess::NotRunning) {
            tellGone();
        } else {
            m_process.kill();
        }
    });
    m_deadline.start(isRunning ? static_cast<int>(kPoliteEndMs) : 0);
}

void ChildProcess::tellGone()
{
    if (const auto gone = std::exchange(m_gone, nullptr)) {
        gone();
    }
}

void ChildProcess::start(const QString& program, const QStringList& arguments,
    const std::vector<const core::Secret*>& secretLines, core::Milliseconds patience)
{
    QObject::connect(&m_deadline, &QTimer::timeout, &m_deadline, [this, patience] {
        answer(core::fail(
            ErrorCode::Timeout, m_name + " was not ready within " + std::to_string(patience.count()) + " ms"));
    });
    m_deadline.start(patience);
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const char* name : kWithheld) {
        if (!m_kept.contains(QLatin1String(name))) {
            environment.remove(QLatin1String(name));
        }
    }
    // What it frees is to be overwritten, too.
    const QString tunables = QString::fromLatin1(core::kTunablesVariable);
    environment.insert(
        tunables, QString::fromStdString(core::tunablesThatWipe(environment.value(tunables).toStdString())));
    m_process.setProcessEnvironment(environment);
#ifdef Q_OS_UNIX
    // Ctrl-C in a terminal is for us; we end our children in order.
    m_process.setChildProcessModifier([] { ::setpgid(0, 0); });
#endif
    m_process.start(program, arguments);
    for (const core::Secret* secret : secretLines) {
        const std::string_view bytes = secret->reveal();
        m_process.write(bytes.data(), static_cast<qint64>(bytes.size()));
        m_process.write("\n", 1);
        m_secretBytes += static_cast<qsizetype>(bytes.size()) + 1;
    }
}

void ChildProcess::overwriteSentSecrets()
{
    // Qt leaves what it has sent in its buffer until it sends more, which goes over it. A child drops what follows its secrets.
    if (m_secretBytes > 0 && m_process.bytesToWrite() == 0) {
        m_process.write(QByteArray(std::exchange(m_secretBytes, 0), '\n'));
    }
}

void ChildProcess::readReadyLine()
{
    while (m_process.canReadLine()) {
        const QByteArray line = m_process.readLine();
        if (!m_ready) {
            continue;
        }
        if (auto url = listeningUrl(line)) {
            answer(std::move(*url));
        } else {
            answer(core::fail(ErrorCode::ChildNotStarted, m_name + " said something else than where it listens"));
        }
    }
}

void ChildProcess::ended()
{
    if (m_gone) {
        tellGone();
        return;
    }
    m_log.append(m_process.readAllStandardError());
    const std::string how = m_process.exitStatus() == QProcess::CrashExit
        ? std::string(" crashed")
        : " ended with code " + std::to_string(m_process.exitCode());
    if (m_ready) {
        answer(core::fail(ErrorCode::ChildNotStarted, m_name + how + lastWords()));
    } else if (auto died = std::exchange(m_died, nullptr)) {
        died({ErrorCode::ChildDied, m_name + how + lastWords(), std::nullopt, {}});
    }
}

void ChildProcess::answer(core::Expected<std::string, core::Error> result)
{
    m_deadline.stop();
    if (auto ready = std::exchange(m_ready, nullptr)) {
        if (!result) {
            m_died = nullptr;
        }
        ready(std::move(result));
    }
}

std::string ChildProcess::lastWords() const
{
    // Our servers promise that no secret is in their log, so its last line may be shown.
    const QByteArray last = m_log.trimmed().split('\n').last().trimmed();
    const auto line = core::parseJson({last.constData(), static_cast<std::size_t>(last.size())});
    if (line && line->is_object()) {
        // What it told of its daily work says nothing of its end.
        const core::Json reason = line->value("reason", line->value("event", core::Json()));
        return line->value("level", core::Json()) == "error" && reason.is_string() ? ": " + reason.get<std::string>()
                                                                                   : std::string();
    }
    return last.isEmpty() ? std::string() : ": " + last.toStdString();
}

} // namespace vivavoce::embedded
