#include "app/cli/command_tools.h"

#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <QFile>

#include <algorithm>

namespace vivavoce::cli {
namespace {

using core::Error;
using core::ErrorCode;

constexpr qint64 kLargestFile = 256 * 1024;
constexpr qsizetype kLargestOutput = 64 * 1024;

core::Unexpected<Error> bad(const std::string& file, const std::string& what)
{
    return core::fail(ErrorCode::BadUsage, file + ": " + what);
}

bool isText(const core::Json& object, const char* key)
{
    return object.contains(key) && object[key].is_string() && !object[key].get_ref<const std::string&>().empty();
}

bool isCommand(const core::Json& value)
{
    return value.is_array() && !value.empty()
        && std::all_of(value.begin(), value.end(), [](const core::Json& word) { return word.is_string(); });
}

} // namespace

CommandTools::~CommandTools()
{
    cancelAll();
}

core::Expected<void, Error> CommandTools::load(const std::string& file)
{
    QFile input(QString::fromStdString(file));
    if (!input.open(QIODevice::ReadOnly)) {
        return bad(file, input.errorString().toStdString());
    }
    const QByteArray text = input.read(kLargestFile + 1);
    if (text.size() > kLargestFile) {
        return bad(file, "longer than 256 KiB");
    }
    const auto parsed = core::parseJson({text.constData(), static_cast<std::size_t>(text.size())});
    if (!parsed) {
        return bad(file, parsed.error().detail);
    }
    if (!parsed->is_array()) {
        return bad(file, "not a JSON array of functions");
    }
    for (const core::Json& entry : *parsed) {
        const std::string place = "function " + std::to_string(m_declarations.size() + 1) + ": ";
        if (!entry.is_object() || !isText(entry, "name") || !isCommand(entry.value("command", core::Json()))) {
            return bad(file, place + "needs \"name\" and \"command\": [program, argument...]");
        }
        const core::Json parameters = entry.value("parameters", core::Json::object());
        if (!parameters.is_object()) {
            return bad(file, place + "\"parameters\" is not a JSON Schema object");
        }
        core::openai::FunctionTool tool;
        tool.name = entry["name"];
        if (isText(entry, "description")) {
            tool.description = entry["description"].get<std::string>();
        }
        tool.parameters = core::openai::RawJson{core::writeJson(parameters)};
        QStringList command;
        for (const core::Json& word : entry["command"]) {
            command += QString::fromStdString(word.get<std::string>());
        }
        if (!m_commands.emplace(tool.name, std::move(command)).second) {
            return bad(file, place + "the name stands twice");
        }
        m_declarations.push_back(std::move(tool));
    }
    return {};
}

void CommandTools::run(const core::ToolCall& call, Callback done)
{
    const auto command = m_commands.find(call.name);
    if (command == m_commands.end()) {
        m_executor.post(
            [done = std::move(done)] { done(core::fail(ErrorCode::ToolFailed, "there is no such function")); });
        return;
    }
    auto process = std::make_unique<QProcess>();
    QProcess* running = process.get();
    const auto once = std::make_shared<Callback>(std::move(done));
    const auto end = [this, running, once] {
        if (const Callback callback = std::exchange(*once, nullptr)) {
            finished(running, callback);
        }
    };
    QObject::connect(running, &QProcess::finished, running, end);
    QObject::connect(running, &QProcess::errorOccurred, running, [end](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart) {
            end();
        }
    });
    running->setStandardErrorFile(QProcess::nullDevice());
    m_running.push_back(std::move(process));
    running->start(command->second.first(), command->second.mid(1));
    running->write(call.arguments.data(), static_cast<qint64>(call.arguments.size()));
    running->closeWriteChannel();
}

void CommandTools::finished(QProcess* process, const Callback& done)
{
    const bool isFine = process->error() == QProcess::UnknownError && process->exitStatus() == QProcess::NormalExit
        && process->exitCode() == 0;
    const QByteArray output = process->readAllStandardOutput().trimmed();
    core::Expected<std::string, Error> result = output.toStdString();
    if (!isFine) {
        result = core::fail(ErrorCode::ToolFailed, "the command failed: " + process->errorString().toStdString());
    } else if (output.size() > kLargestOutput) {
        result = core::fail(ErrorCode::ToolFailed, "the command said more than 64 KiB");
    }
    const auto mine =
        std::find_if(m_running.begin(), m_running.end(), [&](const auto& p) { return p.get() == process; });
    if (mine != m_running.end()) {
        // We stand in one of its signals.
        mine->release()->deleteLater();
        m_running.erase(mine);
    }
    done(std::move(result));
}

void CommandTools::cancelAll()
{
    for (const auto& process : std::exchange(m_running, {})) {
        process->disconnect();
        process->kill();
        process->waitForFinished(1000);
    }
}

} // namespace vivavoce::cli
