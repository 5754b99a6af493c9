#include "broker/audit/audit_verifier.h"
#include "broker/options.h"
#include "broker/projects/project_program.h"
#include "broker/projects/table_projects.h"
#include "tests/broker/limits_harness.h"
#include "tests/broker/operator_world.h"

#include <QFloat16>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

struct Typed {
    int code = 0;
    std::string out;
    std::string err;
    /// The lines of `out`.
    std::vector<Json> lines;
};

/// A folder with a configuration of an operator's.
class Place {
public:
    explicit Place(const std::string& check = "table")
    {
        std::ofstream file(path("broker.toml"));
        file << "audit = { folder = \"" << path("audit") << "\" }\ndatabase = { url = \"" << databaseUrl()
             << "\" }\nsecret = \"" << kTestSecret << "\"\nprojects = { check = \"" << check << "\" }\n";
    }
    [[nodiscard]] std::string path(const char* name) const { return m_folder.filePath(name).toStdString(); }
    [[nodiscard]] std::string databaseUrl() const { return "sqlite://" + path("broker.db"); }

    /// `vivavoce-broker project …` as somebody types it.
    Typed type(std::vector<std::string> words) const
    {
        words.insert(words.begin(), {"vivavoce-broker", "project"});
        words.insert(words.end(), {"--config", path("broker.toml")});
        std::vector<const char*> arguments;
        for (const std::string& word : words) {
            arguments.push_back(word.c_str());
        }
        const auto parsed = broker::parseOptions(static_cast<int>(arguments.size()), arguments.data());
        Typed typed;
        if (!parsed || !std::holds_alternative<broker::ProjectCommand>(*parsed)) {
            typed.code = -1;
            typed.err = parsed ? "" : parsed.error().detail;
            return typed;
        }
        std::ostringstream out;
        std::ostringstream err;
        const broker::Environment nothing = [](const char*) { return std::nullopt; };
        typed.code = broker::runProjectCommand(std::get<broker::ProjectCommand>(*parsed), nothing, out, err);
        typed.out = out.str();
        typed.err = err.str();
        std::istringstream lines(typed.out);
        for (std::string line; std::getline(lines, line);) {
            typed.lines.push_back(Json::parse(line));
        }
        return typed;
    }
    /// What the audit says was acted on, with how it ended.
    [[nodiscard]] std::vector<std::string> audited() const
    {
        std::vector<std::string> told;
        for (const auto& file : std::filesystem::directory_iterator(path("audit") + "/command-line")) {
            std::ifstream in(file.path());
            for (std::string line; file.path().extension() == ".jsonl" && std::getline(in, line);) {
                const Json json = Json::parse(line);
                told.push_back(json.at("outcome").get<std::string>() + " "
                    + json.value("target", json.at("event").get<std::string>()));
            }
        }
        return told;
    }

private:
    QTemporaryDir m_folder;
};

const std::string kAda = "2:21:https://login.example:ada";

} // namespace

/// Projects by the command line.
class TestProjectProgram : public QObject {
    Q_OBJECT

private slots:
    void projects_AreMade_Changed_AndRemoved_AndTheAuditHasEach()
    {
        const Place place;
        QVERIFY(place.type({"list"}).lines.empty());
        const Typed made = place.type({"create", "choir", "--set", "models=gpt-realtime,gpt-realtime-mini", "--set",
            "projectDollarsPerMonth=100.5", "--set", "relay=true", "--set", "instructions=Be kind."});
        QVERIFY2(made.code == 0, made.err.c_str());
        const Json policy{{"models", {"gpt-realtime", "gpt-realtime-mini"}}, {"projectDollarsPerMonth", 100.5},
            {"relay", true}, {"instructions", "Be kind."}};
        QCOMPARE(made.lines.at(0).at("policy"), policy);
        QCOMPARE(made.lines.at(0).at("created"), Json(true));
        QCOMPARE(place.type({"list"}).lines.at(0).at("revision"), made.lines.at(0).at("revision"));
        QCOMPARE(
            place.type({"set", "choir", "--set", "longestSession=600", "--unset", "relay", "--unset", "instructions"})
                .lines.at(0)["policy"],
            Json({{"models", {"gpt-realtime", "gpt-realtime-mini"}}, {"projectDollarsPerMonth", 100.5},
                {"longestSession", 600}}));
        QCOMPARE(place.type({"member", "add", "choir", kAda}).lines.at(0)["changed"], Json(true));
        QCOMPARE(place.type({"member", "add", "choir", kAda}).lines.at(0)["changed"], Json(false));
        QCOMPARE(place.type({"member", "list", "choir"}).lines.at(0), Json({{"project", "choir"}, {"user", kAda}}));
        QCOMPARE(place.type({"list"}).lines.at(0)["members"], Json(1));
        QVERIFY(place.type({"list", "--after", "choir"}).lines.empty());
        QCOMPARE(place.type({"member", "remove", "choir", kAda}).lines.at(0)["changed"], Json(true));
        QCOMPARE(place.type({"remove", "choir"}).lines.at(0), Json({{"id", "choir"}, {"removed", true}, {"ended", 0}}));
        QVERIFY(place.type({"list"}).lines.empty());
        std::string told;
        for (const std::string& line : place.audited()) {
            told += line + "\n";
        }
        QVERIFY2(told
                == "done project choir: new, relay unset -> true, instructions unset -> \"Be kind.\", "
                   "projectDollarsPerMonth unset -> 100.5, models unset -> [\"gpt-realtime\",\"gpt-realtime-mini\"]\n"
                   "done project choir: relay true -> unset, longestSession unset -> 600, instructions \"Be kind.\" -> unset\n"
                   "done member added: choir "
                    + kAda + "\ndone member added (was member): choir " + kAda
                    + "\ndone member removed (was member): choir " + kAda
                    + "\ndone project removed: choir\ndone session.kill\n",
            told.c_str());
        QVERIFY(broker::AuditVerifier::verify(place.path("audit") + "/command-line"));
    }

    void keeping_IsSwitchedOnAndOff_AndAProjectHasAdmins()
    {
        const Place place;
        QCOMPARE(
            place.type({"create", "choir", "--transcripts", "on", "--set", "transcriptDays=14"}).lines.at(0)["policy"],
            Json({{"transcripts", true}, {"transcriptDays", 14}}));
        QCOMPARE(place.type({"set", "choir", "--transcripts", "off"}).lines.at(0)["policy"],
            Json({{"transcripts", false}, {"transcriptDays", 14}}));
        QVERIFY(place.type({"set", "choir", "--transcripts", "perhaps"}).code != 0);
        QVERIFY(place.type({"set", "choir", "--set", "transcriptDays=0"}).code != 0);
        QCOMPARE(place.type({"member", "add", "choir", kAda, "--admin"}).lines.at(0)["changed"], Json(true));
        // Whoever adds them once more takes nothing away.
        QCOMPARE(place.type({"member", "add", "choir", kAda}).lines.at(0)["changed"], Json(false));
        QCOMPARE(place.type({"member", "list", "choir"}).lines.at(0),
            Json({{"project", "choir"}, {"user", kAda}, {"role", "admin"}}));
        QCOMPARE(place.type({"member", "add", "choir", kAda, "--admin"}).lines.at(0)["changed"], Json(false));
        QCOMPARE(place.type({"member", "remove", "choir", kAda}).lines.at(0)["changed"], Json(true));
        QCOMPARE(place.audited(),
            (std::vector<std::string>{"done project choir: new, transcripts unset -> true, transcriptDays unset -> 14",
                "done project choir: transcripts true -> false", "done admin added: choir " + kAda,
                "done member added (was admin): choir " + kAda, "done admin added (was admin): choir " + kAda,
                "done member removed (was admin): choir " + kAda}));
    }

    void whatDoesNotDo_ChangesNothing_AndSaysWhy_data()
    {
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<QByteArray>("why");
        QTest::newRow("there already") << QStringList{"create", "band"}
                                       << QByteArray("there is such a project already");
        QTest::newRow("not there") << QStringList{"set", "none"} << QByteArray("there is no such project");
        QTest::newRow("wrong member") << QStringList{"set", "band", "--set", "colour=red"}
                                      << QByteArray("policy.colour is not known; there are providers, models, voices");
        QTest::newRow("a member that no terminal should see") << QStringList{"set", "band", "--set", "a\x1b[31m=1"}
                                                              << QByteArray("policy has a member that is not known");
        QTest::newRow("nothing of that name to unset")
            << QStringList{"set", "band", "--unset", "nosuch"} << QByteArray("policy.nosuch is not known; there are");
        const auto wrong = [](const char* set, const char* why) {
            QTest::newRow(set) << QStringList{"set", "band", "--set", set} << QByteArray(why);
        };
        wrong("longestSession=-1", "policy.longestSession has to be a whole number of seconds from 1 to 31536000");
        wrong("userDollarsPerDay=0,5",
            "policy.userDollarsPerDay has to be a number of dollars from 0 to 1000000000, as 0.5");
        wrong("projectDollarsPerMonth=-5", "policy.projectDollarsPerMonth has to be a number of dollars from 0");
        wrong("userMinutesPerDay=0.5", "policy.userMinutesPerDay has to be a whole number of minutes from 0");
        wrong("transcriptDays=9999", "policy.transcriptDays has to be a whole number of days from 1 to 3650");
        wrong("transcripts=perhaps", "policy.transcripts has to be true or false");
        wrong("sessionsPerUser=all", "policy.sessionsPerUser has to be a whole number from 0 to 100000");
        wrong("models=a,", "policy.models has to be a list of at most 100 names");
        QTest::newRow("no value") << QStringList{"set", "band", "--set", "relay"} << QByteArray("--set wants a member");
        QTest::newRow("no caller") << QStringList{"member", "add", "band", "ada"} << QByteArray("USER has to be");
        QTest::newRow("no name") << QStringList{"create", "a b"} << QByteArray("a project's name is");
    }
    void whatDoesNotDo_ChangesNothing_AndSaysWhy()
    {
        QFETCH(QStringList, words);
        QFETCH(QByteArray, why);
        const Place place;
        QCOMPARE(place.type({"create", "band"}).code, 0);
        std::vector<std::string> typed;
        for (const QString& word : words) {
            typed.push_back(word.toStdString());
        }
        const Typed told = place.type(typed);
        QCOMPARE(told.code, 2);
        QVERIFY(told.out.empty());
        QVERIFY2(told.err.find(why.toStdString()) != std::string::npos, told.err.c_str());
        QVERIFY(told.err.find('\x1b') == std::string::npos);
        QCOMPARE(place.type({"list"}).lines.size(), std::size_t{1});
        QCOMPARE(place.audited(), (std::vector<std::string>{"done project band: new"}));
    }

    void listWithoutNames_AllowsNothing()
    {
        const Place place;
        QCOMPARE(place.type({"create", "band", "--set", "models=", "--set", "voices="}).lines.at(0).at("policy"),
            Json({{"models", Json::array()}, {"voices", Json::array()}}));
        QCOMPARE(place.type({"set", "band", "--unset", "models"}).lines.at(0).at("policy"),
            Json({{"voices", Json::array()}}));
    }

    void set_WithARevision_ChangesOnlyWhatIsStillThat()
    {
        const Place place;
        const auto revisionOf = [](const Typed& typed) { return typed.lines.at(0).at("revision").get<std::string>(); };
        const std::string made = revisionOf(place.type({"create", "choir"}));
        const std::string changed = revisionOf(place.type({"set", "choir", "--set", "relay=true", "--revision", made}));
        QVERIFY(changed != made);
        const Typed late = place.type({"set", "choir", "--set", "relay=false", "--revision", made});
        QCOMPARE(late.code, 2);
        QVERIFY2(late.err.find("the project is not what it was") != std::string::npos, late.err.c_str());
        QCOMPARE(revisionOf(place.type({"list"})), changed);
        QCOMPARE(place.audited(),
            (std::vector<std::string>{"done project choir: new", "done project choir: relay unset -> true",
                "done project choir: relay true -> unset", "failed project choir: relay true -> unset"}));
        // Without one it is set in whatever is there.
        QCOMPARE(place.type({"set", "choir", "--set", "longestSession=60"}).lines.at(0).at("policy"),
            Json({{"relay", true}, {"longestSession", 60}}));
    }

    void whatFails_IsInTheAuditAsFailed()
    {
        const Place place;
        QVERIFY(place.type({"remove", "none"}).code != 0);
        QCOMPARE(place.audited(),
            (std::vector<std::string>{
                "done project removed: none", "done session.kill", "failed project removed: none"}));
    }

    void projectsThatAreKeptElsewhere_AreRefused()
    {
        const Place place("claim");
        for (const std::vector<std::string>& words :
            std::vector<std::vector<std::string>>{{"list"}, {"create", "choir"}}) {
            const Typed told = place.type(words);
            QVERIFY(told.code != 0);
            QVERIFY2(told.err.find("projects.check has to be \"table\"") != std::string::npos, told.err.c_str());
        }
    }

    void withoutItsAudit_NothingIsChanged()
    {
        const Place place;
        std::filesystem::create_directories(place.path("audit"));
        std::ofstream(place.path("audit") + "/command-line") << "no folder";
        QVERIFY(place.type({"create", "choir"}).code != 0);
        QVERIFY(place.type({"list"}).lines.empty());
    }

    /// The broker that runs there sees it at once.
    void besideARunningBroker_SessionsOfARemovedProjectEnd()
    {
        const Place place;
        OperatorWorld world([&](broker::Config& config) {
            config.projects.check = broker::ProjectSettings::Check::Table;
            config.databaseUrl = core::Secret(place.databaseUrl());
        });
        const std::string key = "2:" + std::to_string(world.login.url().size()) + ":" + world.login.url() + ":u1";
        QCOMPARE(place.type({"create", "choir"}).code, 0);
        QCOMPARE(place.type({"member", "add", "choir", key}).code, 0);
        const auto minted = world.as(world.user(), "POST", "/api/voice-agent/token", R"({"projectId":"choir"})");
        QCOMPARE(minted.status, 200U);
        QCOMPARE(place.type({"set", "choir", "--set", "providers=none"}).code, 0);
        QCOMPARE(codeOf(world.as(world.user(), "POST", "/api/voice-agent/token", R"({"projectId":"choir"})")),
            std::string("not_allowed"));
        QCOMPARE(place.type({"remove", "choir"}).code, 0);
        const auto listed = world.as(world.user(), "GET", "/api/voice/session");
        QVERIFY(Json::parse(listed.body)["sessions"].empty());
    }

    /// As where the database went away between the two.
    void projectThatIsGone_HasItsSessionsEnded_WhereItIsRemovedAgain()
    {
        const Place place;
        OperatorWorld world([&](broker::Config& config) {
            config.projects.check = broker::ProjectSettings::Check::Table;
            config.databaseUrl = core::Secret(place.databaseUrl());
        });
        const std::string key = "2:" + std::to_string(world.login.url().size()) + ":" + world.login.url() + ":u1";
        QCOMPARE(place.type({"create", "choir"}).code, 0);
        QCOMPARE(place.type({"member", "add", "choir", key}).code, 0);
        QCOMPARE(world.as(world.user(), "POST", "/api/voice-agent/token", R"({"projectId":"choir"})").status, 200U);
        broker::Database::Settings settings;
        settings.url = core::Secret(place.databaseUrl());
        const auto database = std::move(broker::Database::open(std::move(settings), world.broker.log).value());
        broker::TableProjects table(*database, world.broker.clock);
        QVERIFY(finish(world.broker.threads, table.remove("choir")).has_value());
        QCOMPARE(
            place.type({"remove", "choir"}).lines.at(0), Json({{"id", "choir"}, {"removed", false}, {"ended", 1}}));
        QVERIFY(Json::parse(world.as(world.user(), "GET", "/api/voice/session").body)["sessions"].empty());
        const Typed again = place.type({"remove", "choir"});
        QVERIFY(again.code != 0);
        QVERIFY2(again.err.find("there is no such project") != std::string::npos, again.err.c_str());
    }
};

QTEST_GUILESS_MAIN(TestProjectProgram)
#include "test_project_program.moc"
