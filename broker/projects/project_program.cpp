#include "broker/projects/project_program.h"

#include "broker/audit/file_audit_trail.h"
#include "broker/config_problems.h"
#include "broker/lasting_parts.h"
#include "broker/projects/policy_json.h"
#include "broker/projects/table_projects.h"
#include "broker/setup/check_config.h"
#include "net/io_threads.h"

#include <nlohmann/json.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <ostream>
#include <utility>

#ifdef __unix__
#include <unistd.h>
#endif

namespace vivavoce::broker {
namespace {

using core::Json;
using Verb = ProjectCommand::Verb;
using Failure = core::Error;
template <typename T>
using Result = core::Expected<T, Failure>;

core::Unexpected<Failure> fail(std::string detail)
{
    return core::fail(core::ErrorCode::BadUsage, std::move(detail));
}

core::Unexpected<Failure> failureOf(const Fault& fault)
{
    const bool isAway = fault.code == FaultCode::Unavailable;
    return core::fail(isAway ? core::ErrorCode::OutputUnwritable : core::ErrorCode::BadUsage, fault.detail);
}

core::Unexpected<Fault> refused(std::string why)
{
    return core::Unexpected<Fault>(Fault{FaultCode::BadRequest, std::move(why), std::nullopt});
}

core::Unexpected<Fault> notAudited()
{
    return core::Unexpected<Fault>(Fault{FaultCode::Unavailable, "the audit cannot be written", std::nullopt});
}

/// Of others who change the same project at the same time, as many.
constexpr int kMostAttempts = 5;

/// Who types: the system knows no more.
std::string operatorName()
{
#ifdef __unix__
    return "uid:" + std::to_string(getuid());
#else
    return "operator";
#endif
}

/// A value as it is typed: JSON, for lists also names with commas between them, else text.
Json valueOf(const std::string& name, const std::string& text)
{
    constexpr std::array kLists{"providers", "models", "voices", "tools"};
    if (auto json = core::parseJson(text); json && !(name == "instructions" && !json->is_string())) {
        return std::move(*json);
    }
    if (std::find(kLists.begin(), kLists.end(), name) == kLists.end()) {
        return text;
    }
    Json names = Json::array();
    for (std::size_t from = 0; !text.empty() && from <= text.size();) {
        const std::size_t comma = std::min(text.find(',', from), text.size());
        names.push_back(text.substr(from, comma - from));
        from = comma + 1;
    }
    return names;
}

Result<Policy> changed(const Policy& policy, const ProjectCommand& command)
{
    Json json = writePolicy(policy);
    const std::vector<std::string> known = policyNames();
    for (const std::string& name : command.without) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            return fail(unknownInPolicy(name));
        }
        json.erase(name);
    }
    for (const std::string& value : command.values) {
        const std::size_t equals = value.find('=');
        if (equals == std::string::npos || equals == 0) {
            return fail("--set wants a member and its value: --set longestSession=600");
        }
        const std::string name = value.substr(0, equals);
        json[name] = valueOf(name, value.substr(equals + 1));
    }
    auto read = readPolicy(json);
    if (!read) {
        return fail(policyFault(json));
    }
    return std::move(*read);
}

/// The broker's parts that a change needs, without the broker.
class Desk {
public:
    Desk(Database& database, FileAuditTrail* audit, const core::Clock& clock, Log& log)
        : m_audit(audit),
          m_table(database, clock),
          m_registry({}, database, clock),
          m_ledger({}, {database, clock, log}),
          m_ender(m_registry, audit != nullptr ? static_cast<AuditTrail&>(*audit) : m_noAudit, m_ledger)
    {
        m_operator.caller.kind = auth::Caller::Kind::Service;
        m_operator.caller.subject = operatorName();
    }

    net::Awaitable<Result<std::vector<Json>>> run(const ProjectCommand& command)
    {
        auto lines = co_await (this->*stepOf(command.verb))(command);
        co_return lines;
    }

private:
    using Lines = Result<std::vector<Json>>;
    using Step = net::Awaitable<Lines> (Desk::*)(const ProjectCommand&);

    static Step stepOf(Verb verb)
    {
        switch (verb) {
        case Verb::List:
            return &Desk::list;
        case Verb::ListMembers:
            return &Desk::listMembers;
        case Verb::Create:
        case Verb::Set:
            return &Desk::put;
        case Verb::Remove:
            return &Desk::remove;
        case Verb::AddMember:
        case Verb::RemoveMember:
            break;
        }
        return &Desk::changeMember;
    }

    net::Awaitable<Lines> list(const ProjectCommand& command)
    {
        const auto projects = co_await m_table.list(command.after);
        if (!projects) {
            co_return failureOf(projects.error());
        }
        std::vector<Json> lines;
        for (const TableProjects::Project& project : *projects) {
            lines.push_back(TableProjects::json(project));
        }
        co_return lines;
    }

    net::Awaitable<Lines> listMembers(const ProjectCommand& command)
    {
        const auto members = co_await m_table.members(command.project, command.after);
        if (!members) {
            co_return failureOf(members.error());
        }
        std::vector<Json> lines;
        for (const TableProjects::Member& member : *members) {
            Json line{{"project", command.project}, {"user", member.name}};
            if (member.role == TableProjects::Role::Admin) {
                line["role"] = "admin";
            }
            lines.push_back(std::move(line));
        }
        co_return lines;
    }

    net::Awaitable<Lines> put(const ProjectCommand& command)
    {
        for (int attempt = 1;; ++attempt) {
            auto once = co_await putOnce(command);
            if (once) {
                co_return Lines(std::move(*once));
            }
            // What is set is set in what is there now, unless that was to be what it was.
            const bool isWorthwhile = once.error().code == FaultCode::ProjectChanged && command.verb == Verb::Set
                && command.revision.empty() && attempt < kMostAttempts;
            if (!isWorthwhile) {
                co_return failureOf(once.error());
            }
        }
    }

    using Once = core::Expected<std::vector<Json>, Fault>;
    net::Awaitable<Once> putOnce(const ProjectCommand& command)
    {
        const auto known = co_await m_table.find(command.project);
        if (!known && known.error().code != FaultCode::NotFound) {
            co_return core::Unexpected<Fault>(known.error());
        }
        if (known && command.verb == Verb::Create) {
            co_return refused("there is such a project already: project set changes it");
        }
        if (!known && command.verb == Verb::Set) {
            co_return core::Unexpected<Fault>(known.error());
        }
        const auto policy = changed(known ? known->policy : Policy(), command);
        if (!policy) {
            co_return refused(policy.error().detail);
        }
        const auto before = known ? std::optional(known->policy) : std::nullopt;
        const std::string told = TableProjects::told(command.project, before, *policy);
        auto untold = co_await tell(AuditOutcome::Done, told);
        if (untold) {
            co_return notAudited();
        }
        std::string basis = known ? known->revision : TableProjects::kNoRevision;
        if (!command.revision.empty()) {
            basis = command.revision;
        }
        const auto put = co_await m_table.put(command.project, *policy, std::move(basis));
        if (!put) {
            untold = co_await tell(AuditOutcome::Failed, told);
            co_return untold ? notAudited() : core::Unexpected<Fault>(put.error());
        }
        co_return std::vector<Json>{{{"id", command.project}, {"created", put->isNew}, {"policy", writePolicy(*policy)},
            {"revision", put->revision}}};
    }

    net::Awaitable<Lines> remove(const ProjectCommand& command)
    {
        const std::string told = "project removed: " + command.project;
        auto untold = co_await tell(AuditOutcome::Done, told);
        if (untold) {
            co_return core::Unexpected<Failure>(std::move(*untold));
        }
        const auto removed = co_await m_table.remove(command.project);
        // Where it has gone already, its sessions may not have: that is finished here, too.
        const bool wasGone = !removed && removed.error().code == FaultCode::NotFound;
        if (!removed && !wasGone) {
            untold = co_await tell(AuditOutcome::Failed, told);
            co_return failureOf(removed.error());
        }
        const auto ended = co_await m_ender.endProject(m_operator, command.project);
        if (!ended) {
            co_return failureOf(ended.error());
        }
        if (wasGone && *ended == 0) {
            untold = co_await tell(AuditOutcome::Failed, told);
            co_return failureOf(removed.error());
        }
        co_return std::vector<Json>{{{"id", command.project}, {"removed", !wasGone}, {"ended", *ended}}};
    }

    net::Awaitable<Lines> changeMember(const ProjectCommand& command)
    {
        const bool isAdded = command.verb == Verb::AddMember;
        if (isAdded && !auth::isCallerKey(command.user)) {
            co_return fail("USER has to be kind, length of the issuer, issuer and subject, as in the list of blocks");
        }
        const auto role = command.isAdmin ? std::optional(TableProjects::Role::Admin) : std::nullopt;
        const auto before = co_await m_table.roleOf(command.project, command.user);
        const std::string told =
            TableProjects::told(command.project, command.user, before ? *before : std::nullopt, isAdded, role);
        auto untold = co_await tell(AuditOutcome::Done, told);
        if (untold) {
            co_return core::Unexpected<Failure>(std::move(*untold));
        }
        auto asked = isAdded ? m_table.addMember(command.project, command.user, role)
                             : m_table.removeMember(command.project, command.user);
        const auto done = co_await std::move(asked);
        if (!done) {
            untold = co_await tell(AuditOutcome::Failed, told);
            co_return failureOf(done.error());
        }
        co_return std::vector<Json>{{{"project", command.project}, {"user", command.user}, {"changed", *done}}};
    }

    /// Nothing: it is on disk.
    net::Awaitable<std::optional<Failure>> tell(AuditOutcome outcome, std::string what)
    {
        AuditRecord record;
        record.event = AuditEvent::ConfigurationChange;
        record.outcome = outcome;
        record.why = "operator";
        record.subject = m_operator.caller.subject;
        record.target = std::move(what);
        const auto appended = co_await m_audit->append(std::move(record));
        if (!appended) {
            co_return Failure{core::ErrorCode::OutputUnwritable, "the audit cannot be written", std::nullopt, {}};
        }
        co_return std::nullopt;
    }

    FileAuditTrail* const m_audit;
    DiscardingAuditTrail m_noAudit;
    TableProjects m_table;
    SqlSessionRegistry m_registry;
    usage::Ledger m_ledger;
    SessionEnder m_ender;
    Client m_operator;
};

core::Expected<std::unique_ptr<FileAuditTrail>, core::Error> auditOf(
    const Config& config, const core::Clock& clock, Log& log)
{
    if (config.auditFolder.empty()) {
        return core::fail(core::ErrorCode::BadConfiguration, "audit.folder has to say where the audit is kept");
    }
    // The broker's own trail has one writer, who may be running.
    FileAuditTrail::Settings settings;
    settings.folder = std::filesystem::path(config.auditFolder) / kCommandLineChain;
    std::error_code error;
    if (std::filesystem::create_directories(settings.folder, error)) {
        std::filesystem::permissions(settings.folder, std::filesystem::perms::owner_all, error);
    }
    auto trail = FileAuditTrail::create(settings, {clock, log});
    if (!trail) {
        return core::Unexpected<core::Error>(trail.error());
    }
    return std::move(*trail);
}

Result<std::vector<Json>> carryOut(const ProjectCommand& command, const Config& config)
{
    if (config.projects.check != ProjectSettings::Check::Table) {
        return fail("projects are not kept here: projects.check has to be \"table\"");
    }
    if (command.verb != Verb::List && !isProjectName(command.project)) {
        return fail("a project's name is 1 to 128 visible ASCII characters");
    }
    const std::atomic<LogLevel> level = LogLevel::Error;
    const auto log = makeStderrLog(level);
    const core::SystemClock clock;
    const bool isReading = command.verb == Verb::List || command.verb == Verb::ListMembers;
    std::unique_ptr<FileAuditTrail> audit;
    if (!isReading) {
        auto made = auditOf(config, clock, *log);
        if (!made) {
            return core::Unexpected<Failure>(made.error());
        }
        audit = std::move(*made);
    }
    auto database = openDatabase(config, *log);
    if (!database) {
        return core::Unexpected<Failure>(database.error());
    }
    Desk desk(**database, audit.get(), clock, *log);
    net::IoThreads threads(1);
    threads.start();
    return boost::asio::co_spawn(threads.executor(), desk.run(command), boost::asio::use_future).get();
}

} // namespace

int runProjectCommand(
    const ProjectCommand& command, const Environment& environment, std::ostream& out, std::ostream& err)
{
    Problems problems;
    const Config config = loadConfig(command.overrides, environment, problems);
    if (problems.hasFault()) {
        tellFaults(problems, err);
        return core::exitCode(problems.firstFault().code);
    }
    const auto lines = carryOut(command, config);
    if (!lines) {
        err << "vivavoce-broker: " << lines.error().detail << " (" << core::codeText(lines.error().code) << ")\n";
        return core::exitCode(lines.error().code);
    }
    for (const Json& line : *lines) {
        out << core::writeJson(line) << '\n';
    }
    return 0;
}

} // namespace vivavoce::broker
