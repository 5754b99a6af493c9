#include "broker/options.h"

#include <CLI/CLI.hpp>

#include <tuple>
#include <utility>
#include <vector>

namespace vivavoce::broker {
namespace {

constexpr const char* kAbout =
    "Mints short-lived tokens for realtime voice providers, so that no API key reaches a desktop.\n"
    "Prints {\"event\":\"listening\",\"url\":...} on stdout when ready; logs are JSON lines on stderr.";

constexpr const char* kFooter =
    "With --embedded the credential of the one who may ask comes as the first line of --credential-fd; where the provider is on\n"
    "this computer a second line follows, the provider's key, which may be empty. The end of that pipe ends the broker.\n"
    "Without --embedded those may ask whom an OIDC issuer vouches for (OIDC_ISSUER and OIDC_AUDIENCE, or [[issuers]] in the file), and\n"
    "service accounts ([[service_accounts]]); audit.folder has to be set. docs/operations.md tells the rest.\n"
    "Begin with: vivavoce-broker init.\n"
    "Environment, which wins over the file: OPENAI_API_KEY, JWT_SECRET, JWT_SECRET_PREVIOUS, DATABASE_URL, REDIS_URL, each also as\n"
    "<NAME>_FILE, the path of a file that holds it, or as systemd's credential <name>; OIDC_ISSUER, OIDC_AUDIENCE, ALLOWED_ORIGINS,\n"
    "VOICE_AGENT_RATE_LIMIT (10 a minute), VOICE_AGENT_TOKEN_DURATION (60 s).";

constexpr const char* kVerifyFooter =
    "Prints {\"lines\":...,\"files\":...,\"lastHash\":...} on stdout and ends with 0. The first flaw goes to stderr as JSON with file\n"
    "and line; the exit code is 2 then.";

constexpr const char* kInitFooter =
    "Makes a file of mode 0600 that names every key with its default, and prints what to do next. What is there already stays as it\n"
    "is (exit code 2). With --production what only you can know says CHANGE-ME, which check-config and the start refuse.";

constexpr const char* kCheckFooter =
    "Takes the options of the start (--config FILE and the others), reads the same file and variables, and looks at the files that they\n"
    "name as well: certificate and key of TLS, keys, who may read what is secret, folders of audit and database. Prints each problem and\n"
    "warning as one line on stderr, and ok on stdout where nothing has to be changed. Exit code 0, or 2. Changes nothing, and asks nobody without\n"
    "--connect.";

constexpr const char* kReportFooter =
    "Asks a broker that runs, as an admin: VIVAVOCE_ADMIN_KEY holds the key of a service account with voice:admin, or an admin's token, or\n"
    "VIVAVOCE_ADMIN_KEY_FILE names a file with it. What was asked for goes to stdout; as html it is a page to print.";

/// Where to ask, and how to answer.
void addReportOptions(CLI::App& command, AskReports& asked)
{
    command.add_option("--broker", asked.broker, "its address (http://127.0.0.1:8790)");
    command.add_option("--ca-file", asked.caFile, "PEM: authorities to trust beside the system's");
    command.add_option("--format", asked.format, "json, csv or html (json)")
        ->check(CLI::IsMember({"json", "csv", "html"}));
}

void addMonth(CLI::App& command, AskReports& asked)
{
    command.add_option("MONTH", asked.month, "2026-11")->required();
}

/// `report` and `invoice`; the second is told apart by its own subcommands.
void addReports(CLI::App& app, AskReports& asked)
{
    CLI::App* const report = app.add_subcommand("report", "what projects used in a month, line by line");
    report->footer(kReportFooter);
    addMonth(*report, asked);
    report->add_option("--project", asked.project, "of this one alone");
    addReportOptions(*report, asked);
    CLI::App* const invoice = app.add_subcommand("invoice", "preview, issue and show invoices");
    invoice->footer(kReportFooter);
    invoice->require_subcommand(1);
    using What = AskReports::What;
    struct Row {
        const char* name;
        const char* about;
        What what;
    };
    for (const Row& row : {Row{"list", "those that were issued, the newest first", What::List},
             Row{"show", "one that was issued", What::Show}, Row{"preview", "what would be issued", What::Preview},
             Row{"issue", "give a project's month its number, for good; or tell the one that it has", What::Issue}}) {
        CLI::App* const command = invoice->add_subcommand(row.name, row.about);
        command->callback([&asked, what = row.what] { asked.what = what; });
        if (row.what == What::Show) {
            command->add_option("NUMBER", asked.number, "as it stands on the invoice")->required();
        } else if (row.what == What::List) {
            command->add_option("--before", asked.before, "those before it: `before` of the list so far");
        } else {
            command->add_option("PROJECT", asked.project, "whose")->required();
            addMonth(*command, asked);
        }
        addReportOptions(*command, asked);
    }
}

constexpr const char* kProjectFooter =
    "For projects that are kept in the database (projects.check = \"table\"), with the configuration of the broker (--config FILE), as the user that\n"
    "it runs as, whether it runs or not. Prints JSON, one object a line. A policy's members are as in the API: --set longestSession=600\n"
    "--set models=gpt-realtime,gpt-realtime-mini --set projectDollarsPerMonth=100 --unset voices. What it changes is first written to the audit,\n"
    "in the folder command-line of audit.folder.";

/// `project`, and what it made of the command line once that is parsed.
struct ProjectOptions {
    ProjectCommand command;
    std::vector<std::pair<CLI::App*, ProjectCommand::Verb>> verbs;

    void addTo(CLI::App& app)
    {
        using Verb = ProjectCommand::Verb;
        CLI::App* const project = app.add_subcommand("project", "keep the projects that are in the database");
        project->require_subcommand(1);
        project->footer(kProjectFooter);
        project->fallthrough();
        add(*project, "list", "all of them, 1,000 at a time", Verb::List)
            ->add_option("--after", command.after, "those after this name");
        for (const auto& [name, about, verb] :
            {std::tuple("create", "make one", Verb::Create), std::tuple("set", "change its policy", Verb::Set)}) {
            CLI::App* const put = add(*project, name, about, verb);
            addProject(*put);
            put->add_option("--set", command.values, "MEMBER=VALUE of the policy; may be repeated")
                ->allow_extra_args(false);
            put->add_option_function<std::string>(
                   "--transcripts", [this](const std::string& how) { keepTranscripts(how); },
                   "on: keep what is said in its relayed sessions, from its next ones on; off: keep no more of it")
                ->check(CLI::IsMember({"on", "off"}));
            put->add_option("--unset", command.without, "MEMBER of the policy; may be repeated")
                ->allow_extra_args(false);
            if (verb == Verb::Set) {
                put->add_option(
                    "--revision", command.revision, "only if that is still its revision, as the list has it");
            }
        }
        addProject(*add(*project, "remove", "remove one, and end its sessions", Verb::Remove));
        CLI::App* const member = project->add_subcommand("member", "who may use it");
        member->require_subcommand(1);
        member->fallthrough();
        CLI::App* const members = add(*member, "list", "all of them, 1,000 at a time", Verb::ListMembers);
        addProject(*members);
        members->add_option("--after", command.after, "those after this user");
        for (const auto& [name, about, verb] : {std::tuple("add", "let somebody use it", Verb::AddMember),
                 std::tuple("remove", "take that from somebody", Verb::RemoveMember)}) {
            CLI::App* const change = add(*member, name, about, verb);
            addProject(*change);
            change->add_option("USER", command.user, "as in the list of blocks: 2:21:https://login.example:u1")
                ->required();
            if (verb == Verb::AddMember) {
                change->add_flag("--admin", command.isAdmin, "and read and delete its transcripts");
            }
        }
    }

    [[nodiscard]] bool isParsed()
    {
        for (const auto& [app, verb] : verbs) {
            if (app->parsed()) {
                command.verb = verb;
                return true;
            }
        }
        return false;
    }

private:
    CLI::App* add(CLI::App& to, const char* name, const char* about, ProjectCommand::Verb verb)
    {
        CLI::App* const made = to.add_subcommand(name, about);
        made->fallthrough();
        verbs.emplace_back(made, verb);
        return made;
    }
    void keepTranscripts(const std::string& how)
    {
        command.values.emplace_back(how == "on" ? "transcripts=true" : "transcripts=false");
    }
    void addProject(CLI::App& to) { to.add_option("PROJECT", command.project, "its name")->required(); }
};

} // namespace

core::Expected<Command, core::Error> parseOptions(int argc, const char* const* argv)
{
    Overrides overrides;
    CLI::App app{kAbout, "vivavoce-broker"};
    app.add_option("--config", overrides.configFile, "TOML file");
    app.add_option("--listen", overrides.listen, "ADDRESS:PORT; port 0 lets the kernel choose (127.0.0.1:8790)");
    app.add_option("--provider-url", overrides.providerUrl, "where tokens are minted (https://api.openai.com)");
    app.add_flag("--embedded", overrides.isEmbedded, "serve the program that started this one, and end with it");
    app.add_option("--credential-fd", overrides.credentialFd, "inherited pipe with the credential (0)")
        ->check(CLI::Range(0, 1'000'000));
    app.add_option("--log-level", overrides.logLevel, "error, warning, info or debug (info)");
    app.add_flag("--print-config", overrides.printsConfig, "print the configuration, secrets left out, and end");
    VerifyAudit verifyAudit;
    CLI::App* const audit = app.add_subcommand("audit", "look into the audit trail");
    audit->require_subcommand(1);
    CLI::App* const verify = audit->add_subcommand("verify", "check that its lines are as they were written");
    verify->footer(kVerifyFooter);
    verify->add_option("PATH", verifyAudit.path, "the trail's folder, or one of its files")->required();
    MakeServiceKey makeKey;
    CLI::App* const serviceKey = app.add_subcommand("service-key", "make the key of a service account");
    serviceKey->footer(
        "Prints {\"name\":...,\"key\":...,\"keyHash\":...} once. The key is for the program that calls, the hash for [[service_accounts]].");
    serviceKey->add_option("NAME", makeKey.name, "a to z, 0 to 9 and dashes, at most 64")->required();
    InitConfig init;
    bool isForProduction = false;
    CLI::App* const initialise = app.add_subcommand("init", "write a new configuration with a random secret");
    initialise->footer(kInitFooter);
    initialise->add_option("PATH", init.path, "the file to make (broker.toml)");
    initialise->add_flag("--production", isForProduction, "for many: narrow limits, TLS, state in /var/lib/vivavoce");
    CLI::App* const check = app.add_subcommand("check-config", "tell all that is wrong with the configuration");
    check->footer(kCheckFooter);
    bool connects = false;
    check->add_flag("--connect", connects, "ask provider, issuers, Redis and database too, five seconds each");
    // --config and the others stand behind the name too.
    check->fallthrough();
    AskReports asked;
    addReports(app, asked);
    ProjectOptions project;
    project.addTo(app);
    // Only now: a subcommand takes over what is there when it is made.
    app.footer(kFooter);
    app.set_version_flag("--version", std::string("vivavoce-broker " VV_VERSION));
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return PrintAndLeave{app.help()};
    } catch (const CLI::CallForVersion&) {
        return PrintAndLeave{app.version() + "\n"};
    } catch (const CLI::ParseError& error) {
        return core::fail(core::ErrorCode::BadUsage, error.what());
    }
    if (verify->parsed()) {
        return verifyAudit;
    }
    if (serviceKey->parsed()) {
        return makeKey;
    }
    if (initialise->parsed()) {
        init.profile = isForProduction ? Profile::Production : Profile::Local;
        return init;
    }
    if (app.got_subcommand("report") || app.got_subcommand("invoice")) {
        return asked;
    }
    if (project.isParsed()) {
        project.command.overrides = std::move(overrides);
        return std::move(project.command);
    }
    if (check->parsed()) {
        return CheckConfig{std::move(overrides), connects};
    }
    return overrides;
}

} // namespace vivavoce::broker
