#pragma once

#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <QDir>
#include <QProcess>
#include <QProcessEnvironment>
#include <QSignalSpy>
#include <QStringList>
#include <QTest>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::tests {

inline QString program(const char* name)
{
    return QDir(qEnvironmentVariable("VV_BIN_DIR")).filePath(QString::fromLatin1(name));
}

/// One run of vivavoce-cli, its events read as they come.
class CliRun {
public:
    explicit CliRun(
        const QStringList& arguments, const QProcessEnvironment& environment = QProcessEnvironment::systemEnvironment())
    {
        m_process.setProcessEnvironment(environment);
        QObject::connect(&m_process, &QProcess::readyReadStandardOutput, &m_process, [this] { read(); });
        m_process.start(program("vivavoce-cli"), arguments);
    }

    /// Runs the event loop until the program has ended; its exit code, or -1 when it crashed or does not end.
    int finish(int timeoutMs = 60'000)
    {
        QSignalSpy ended(&m_process, &QProcess::finished);
        if (m_process.state() != QProcess::NotRunning && !ended.wait(timeoutMs)) {
            m_process.kill();
            m_process.waitForFinished();
            return -1;
        }
        read();
        return m_process.exitStatus() == QProcess::NormalExit ? m_process.exitCode() : -1;
    }

    /// All events of one type, in order.
    [[nodiscard]] std::vector<core::Json> all(const std::string& type) const
    {
        std::vector<core::Json> found;
        std::copy_if(m_events.begin(), m_events.end(), std::back_inserter(found),
            [&](const core::Json& event) { return event.value("type", "") == type; });
        return found;
    }
    /// The code of the error that ended it.
    [[nodiscard]] std::string fatalCode() const
    {
        for (const core::Json& error : all("error")) {
            if (error.value("fatal", false)) {
                return error.value("code", "");
            }
        }
        return {};
    }
    [[nodiscard]] std::vector<std::string> finalTexts(const std::string& role) const
    {
        std::vector<std::string> texts;
        for (const core::Json& transcript : all("transcript")) {
            if (transcript.value("role", "") == role && transcript.value("final", false)) {
                texts.push_back(transcript.value("text", ""));
            }
        }
        return texts;
    }
    [[nodiscard]] bool hasState(const std::string& phase) const
    {
        const auto states = all("state");
        return std::any_of(
            states.begin(), states.end(), [&](const core::Json& s) { return s.value("phase", "") == phase; });
    }
    [[nodiscard]] bool isEveryLineJson() const { return m_isEveryLineJson; }
    [[nodiscard]] QProcess& process() { return m_process; }
    [[nodiscard]] QByteArray output() const { return m_output; }

private:
    void read()
    {
        m_output += m_process.readAllStandardOutput();
        qsizetype end = 0;
        while ((end = m_output.indexOf('\n', m_read)) >= 0) {
            const QByteArray line = m_output.mid(m_read, end - m_read);
            m_read = end + 1;
            auto event = core::parseJson(line.toStdString());
            m_isEveryLineJson = m_isEveryLineJson && event.has_value();
            if (event) {
                m_events.push_back(std::move(*event));
            }
        }
    }

    QProcess m_process;
    QByteArray m_output;
    qsizetype m_read = 0;
    bool m_isEveryLineJson = true;
    std::vector<core::Json> m_events;
};

} // namespace vivavoce::tests
