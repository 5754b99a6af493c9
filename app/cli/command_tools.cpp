#include "app/cli/command_tools.h"

#include "app/platform/child_group.h"
#include "core/base/json.h"
#include "core/base/process_memory.h"
#include "core/tools/argument_schema.h"

#include <nlohmann/json.hpp>

#include <QFile>

#include <algorithm>
#include <optional>

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

/// Of SIGKILL.
constexpr int kKilledIsGone = 1'000;

bool isText(const core::Json& object, const char* key)
{
    return object.contains(key) && object[key].is_string() && !object[key].get_ref<const std::string&>().empty();
}

bool isCommand(const core::Json& value)
{
    return value.is_array() && !value.empty()
        && std::all_of(value.begin(), value.end(), [](const core::Json& word) { return word.is_string(); });
}

std::optional<core::ToolPolicy> policyOf(const core::Json& entry)
{
    const core::Json word = entry.value("approval", core::Json("always"));
    if (word == "always") {
        return core::ToolPolicy::Always;
    }
    if (word == "ask") {
        return core::ToolPolicy::Ask;
    }
    return word == "never" ? std::optional(core::ToolPolicy::Never) : std::nullopt;
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
        const std::string place = "function " + std::to_string(m_tools.size() + 1) + ": ";
        if (!entry.is_object() || !isText(entry, "name") || !isCommand(entry.value("command", core::Json()))) {
            return bad(file, place + "needs \"name\" and \"command\": [program, argument...]");
        }
        const core::Json parameters = entry.value("parameters", core::Json::object());
        if (!parameters.is_object()) {
            return bad(file, place + "\"parameters\" is not a JSON Schema object");
        }
        const auto policy = policyOf(entry);
        if (!policy) {
            return bad(file, place + "\"approval\" is none of \"always\", \"ask\", \"never\"");
        }
        core::openai::FunctionTool tool;
        tool.name = entry["name"];
        if (isText(entry, "description")) {
            tool.description = entry["description"].get<std::string>();
        }
        tool.parameters = core::openai::RawJson{core::writeJson(parameters)};
        if (const auto schema = core::ArgumentSchema::create(tool.parameters->text); !schema) {
            return bad(file, place + "\"parameters\": " + schema.error());
        }
        QStringList command;
        for (const core::Json& word : entry["command"]) {
            command += QString::fromStdString(word.get<std::string>());
        }
        if (!m_commands.emplace(tool.name, std::move(command)).second) {
            return bad(file, place + "the name stands twice");
        }
        m_tools.push_back({std::move(tool), "command", *policy, false});
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
    QObject::connect(running, &QProcess::readyReadStandardOutput, running, [this, running] { read(running); });
    QObject::connect(running, &QProcess::finished, running, [this, running] { finished(running); });
    QObject::connect(running, &QProcess::errorOccurred, running, [this, running](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart) {
            finished(running);
        }
    });
    platform::tieToUs(*running);
    running->setStandardErrorFile(QProcess::nullDevice());
    m_running.push_back({call.callId, std::move(process), {}, std::move(done)});
    const core::ChildCoreLimit theirs;
    running->start(command->second.first(), command->second.mid(1));
    running->write(call.arguments.data(), static_cast<qint64>(call.arguments.size()));
    running->closeWriteChannel();
}

std::vector<CommandTools::Command>::iterator CommandTools::find(const QProcess* process)
{
    return std::find_if(
        m_running.begin(), m_running.end(), [&](const Command& one) { return one.process.get() == process; });
}

void CommandTools::read(QProcess* process)
{
    const auto command = find(process);
    if (command == m_running.end()) {
        return;
    }
    command->output += process->readAllStandardOutput();
    if (command->output.size() > kLargestOutput) {
        platform::killGroup(*process);
        finish(process, core::fail(ErrorCode::ToolFailed, "the command said more than 64 KiB"));
    }
}

void CommandTools::finished(QProcess* process)
{
    read(process);
    const auto command = find(process);
    if (command == m_running.end()) {
        return;
    }
    // One that does not read its arguments has no use for them.
    const bool isWhole = process->error() == QProcess::UnknownError || process->error() == QProcess::WriteError;
    const bool isFine = isWhole && process->exitStatus() == QProcess::NormalExit && process->exitCode() == 0;
    core::Expected<std::string, Error> result = command->output.trimmed().toStdString();
    if (!isFine) {
        result = core::fail(ErrorCode::ToolFailed, "the command failed: " + process->errorString().toStdString());
    }
    finish(process, std::move(result));
}

void CommandTools::finish(QProcess* process, core::Expected<std::string, Error> result)
{
    const auto command = find(process);
    const Callback done = std::move(command->done);
    // We stand in one of its signals; what was killed is still to be waited for.
    QProcess* const old = command->process.release();
    m_running.erase(command);
    old->disconnect();
    QObject::connect(old, &QProcess::finished, old, &QObject::deleteLater);
    if (old->state() == QProcess::NotRunning) {
        old->deleteLater();
    }
    done(std::move(result));
}

void CommandTools::cancel(const std::string& callId)
{
    const auto command =
        std::find_if(m_running.begin(), m_running.end(), [&](const Command& one) { return one.callId == callId; });
    if (command == m_running.end()) {
        return;
    }
    const std::unique_ptr<QProcess> process = std::move(command->process);
    m_running.erase(command);
    process->disconnect();
    platform::killGroup(*process);
    process->waitForFinished(kKilledIsGone);
}

void CommandTools::cancelAll()
{
    while (!m_running.empty()) {
        cancel(m_running.back().callId);
    }
}

} // namespace vivavoce::cli
