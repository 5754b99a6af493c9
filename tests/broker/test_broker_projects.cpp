#include "broker/projects/policy_json.h"
#include "broker/projects/table_projects.h"
#include "broker/projects/webhook_projects.h"
#include "broker/store/connection.h"
#include "broker/webhook_signature.h"
#include "tests/broker/limits_harness.h"
#include "tests/broker/operator_world.h"
#include "tests/broker/postgres_server.h"

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;
using broker::Config;
using broker::FaultCode;
using broker::Policy;
using core::Json;
using Check = broker::ProjectSettings::Check;

namespace {

constexpr const char* kToken = "/api/voice-agent/token";
/// Standard Webhooks' own example.
constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::string codeOf(const broker::ProjectDirectory::Answer& answer)
{
    return answer ? "" : std::string(faultRow(answer.error().code).text);
}

broker::Applicant applicant(std::string name)
{
    return {name, "https://id.example", name, std::nullopt};
}

std::vector<std::string> namesOf(const std::vector<broker::TableProjects::Member>& members)
{
    std::vector<std::string> names;
    for (const auto& member : members) {
        names.push_back(member.role == broker::TableProjects::Role::Admin ? member.name + ", admin" : member.name);
    }
    return names;
}

/// Somebody's service that says who may use what.
struct Webhook {
    Webhook()
    {
        net::Router router;
        net::test::addPlain(router, "POST", "/ask", [this](const net::HttpRequest& request) {
            const std::lock_guard lock(mutex);
            requests.push_back(request);
            return answer;
        });
        server = std::make_unique<net::test::TestServer>(std::move(router));
        settings.url = std::make_shared<const core::Secret>(server->url("/ask"));
        settings.secret = broker::readWebhookSecret(kSecret);
    }
    void says(unsigned status, std::string body)
    {
        const std::lock_guard lock(mutex);
        answer = net::HttpResponse::json(status, std::move(body));
    }
    std::size_t asked() const
    {
        const std::lock_guard lock(mutex);
        return requests.size();
    }

    mutable std::mutex mutex;
    net::HttpResponse answer = net::HttpResponse::json(200, R"({"allowed":true})");
    std::vector<net::HttpRequest> requests;
    broker::WebhookProjects::Settings settings;
    std::unique_ptr<net::test::TestServer> server;
};

struct WebhookWorld {
    WebhookWorld()
    {
        directory.emplace(webhook.settings, broker::WebhookProjects::Dependencies{&net::sendRequest, clock, log});
    }
    std::string ask(const std::string& name, const std::string& project = "choir")
    {
        return codeOf(finish(threads, directory->admit(applicant(name), project)));
    }

    NetThreads threads;
    SharedClock clock;
    CapturedLog log;
    Webhook webhook;
    std::optional<broker::WebhookProjects> directory;
};

} // namespace

/// Who may use which project, and what its sessions may be.
class TestBrokerProjects : public QObject {
    Q_OBJECT

    std::unique_ptr<PostgresServer> m_server;

    static std::string of(const BrokerWorld::Answer& answer) { return answer.status == 200 ? "" : codeOf(answer); }
    static std::string codeOf(const BrokerWorld::Answer& answer) { return tests::codeOf(answer); }

private slots:
    void initTestCase()
    {
        if (PostgresServer::missing().isEmpty()) {
            m_server = std::make_unique<PostgresServer>();
            QVERIFY(m_server->start());
        }
    }

    void table_KeepsProjectsAndMembers_data()
    {
        QTest::addColumn<bool>("isShared");
        QTest::newRow("SQLite") << false;
        if (m_server != nullptr) {
            QTest::newRow("PostgreSQL") << true;
        } else {
            qWarning("not tried on PostgreSQL: %s", qPrintable(PostgresServer::missing()));
        }
    }
    void table_KeepsProjectsAndMembers()
    {
        QFETCH(bool, isShared);
        NetThreads threads;
        SharedClock clock;
        CapturedLog log;
        broker::Database::Settings settings;
        settings.url = core::Secret(isShared ? m_server->url() : "sqlite://:memory:");
        const auto database = std::move(broker::Database::open(std::move(settings), log).value());
        broker::TableProjects table(*database, clock);
        const auto run = [&](auto task) { return finish(threads, std::move(task)); };
        const auto admit = [&](const char* name, const char* project) {
            return ::codeOf(run(table.admit(applicant(name), project)));
        };
        QVERIFY(run(table.list("")).value().empty());
        QCOMPARE(admit("alice", "choir"), std::string("project_not_allowed"));
        QVERIFY(run(table.addMember("choir", "alice")).error().code == FaultCode::NotFound);

        const Policy policy = broker::readPolicy(Json::parse(R"({"models":["a"]})")).value();
        QVERIFY(run(table.put("choir", policy)).value().isNew);
        QVERIFY(run(table.put("band", {})).value().isNew);
        QCOMPARE(admit("alice", "choir"), std::string("project_not_allowed"));
        QVERIFY(run(table.addMember("choir", "alice")).value());
        QVERIFY(!run(table.addMember("choir", "alice")).value());
        QVERIFY(run(table.addMember("choir", "bob's \"'; DROP TABLE projects")).value());
        QVERIFY(run(table.admit(applicant("alice"), "choir")).value() == policy);
        QCOMPARE(admit("alice", "band"), std::string("project_not_allowed"));

        const auto listed = run(table.list("")).value();
        QCOMPARE(listed.size(), std::size_t(2));
        QCOMPARE(listed[0].id, std::string("band"));
        QCOMPARE(listed[0].members, std::size_t(0));
        QCOMPARE(listed[1].members, std::size_t(2));
        QVERIFY(listed[1].policy == policy);
        QCOMPARE(run(table.list("band")).value().size(), std::size_t(1));
        QCOMPARE(namesOf(run(table.members("choir", "")).value()),
            (std::vector<std::string>{"alice", "bob's \"'; DROP TABLE projects"}));
        QVERIFY(run(table.members("band", "")).value().empty());
        // Only who says a role changes it.
        using Role = broker::TableProjects::Role;
        QVERIFY(run(table.addMember("choir", "alice", Role::Admin)).value());
        QVERIFY(!run(table.addMember("choir", "alice", Role::Admin)).value());
        QVERIFY(!run(table.addMember("choir", "alice")).value());
        QCOMPARE(namesOf(run(table.members("choir", "")).value()).front(), std::string("alice, admin"));
        QVERIFY(run(table.roleOf("choir", "alice")).value() == Role::Admin);
        QVERIFY(!run(table.roleOf("choir", "nobody")).value());
        QVERIFY(run(table.roleOf("none", "alice")).error().code == FaultCode::NotFound);
        const auto memberships = run(table.ofMembers({"alice", "nobody"})).value();
        QCOMPARE(memberships.size(), std::size_t{1});
        QCOMPARE(memberships.at("alice").size(), std::size_t{1});
        QVERIFY(memberships.at("alice").at("choir") == policy);
        QVERIFY(run(table.addMember("choir", "alice", Role::Member)).value());
        QCOMPARE(namesOf(run(table.members("choir", "")).value()).front(), std::string("alice"));

        QVERIFY(!run(table.put("choir", {})).value().isNew);
        QVERIFY(run(table.admit(applicant("alice"), "choir")).value() == Policy{});
        QVERIFY(run(table.removeMember("choir", "alice")).value());
        QVERIFY(!run(table.removeMember("choir", "alice")).value());
        QCOMPARE(admit("alice", "choir"), std::string("project_not_allowed"));
        QVERIFY(run(table.remove("choir")).value());
        QVERIFY(run(table.remove("choir")).error().code == FaultCode::NotFound);
        // One of the same name begins anew.
        QVERIFY(run(table.put("choir", {})).value().isNew);
        QCOMPARE(admit("bob's \"'; DROP TABLE projects", "choir"), std::string("project_not_allowed"));
    }

    void put_OnABasis_ChangesNothingThatWasChangedMeanwhile_data() { table_KeepsProjectsAndMembers_data(); }
    void put_OnABasis_ChangesNothingThatWasChangedMeanwhile()
    {
        QFETCH(bool, isShared);
        NetThreads threads;
        SharedClock clock;
        CapturedLog log;
        broker::Database::Settings settings;
        settings.url = core::Secret(isShared ? m_server->url() : "sqlite://:memory:");
        const auto database = std::move(broker::Database::open(std::move(settings), log).value());
        broker::TableProjects table(*database, clock);
        const auto run = [&](auto task) { return finish(threads, std::move(task)); };
        const auto policyOf = [](std::size_t sessions) {
            Policy policy;
            policy.sessionsOfProject = sessions;
            return policy;
        };
        const auto put = [&](std::size_t sessions, std::optional<std::string> basis) {
            return run(table.put("duo", policyOf(sessions), std::move(basis)));
        };
        QVERIFY(put(1, "of nothing").error().code == FaultCode::ProjectChanged);
        const auto made = put(1, broker::TableProjects::kNoRevision).value();
        QVERIFY(made.isNew);
        clock.advance(core::Milliseconds{1});
        QVERIFY(put(2, broker::TableProjects::kNoRevision).error().code == FaultCode::ProjectChanged);
        const auto first = put(3, made.revision).value();
        QVERIFY(!first.isNew);
        QCOMPARE(run(table.find("duo")).value().revision, first.revision);
        // What the other one has read is not there any more.
        QVERIFY(put(4, made.revision).error().code == FaultCode::ProjectChanged);
        QVERIFY(run(table.find("duo")).value().policy == policyOf(3));
        // The same again, as where nobody heard that it was done.
        QCOMPARE(put(3, made.revision).value().revision, first.revision);
        QVERIFY(put(5, first.revision).has_value());
        QVERIFY(put(6, std::nullopt).has_value());
        // Removed and made again with the same policy it is another project.
        const std::string before = run(table.find("duo")).value().revision;
        QVERIFY(run(table.remove("duo")).value());
        clock.advance(core::Milliseconds{1});
        QVERIFY(put(6, std::nullopt).value().isNew);
        QVERIFY(put(7, before).error().code == FaultCode::ProjectChanged);
        QCOMPARE(run(table.list("")).value().back().revision, run(table.find("duo")).value().revision);
    }

    void put_OfManyAtOnce_OnOneBasis_IsDoneOnce_data() { table_KeepsProjectsAndMembers_data(); }
    void put_OfManyAtOnce_OnOneBasis_IsDoneOnce()
    {
        QFETCH(bool, isShared);
        NetThreads threads;
        SharedClock clock;
        CapturedLog log;
        broker::Database::Settings settings;
        settings.url = core::Secret(isShared ? m_server->url() : "sqlite://:memory:");
        const auto database = std::move(broker::Database::open(std::move(settings), log).value());
        broker::TableProjects table(*database, clock);
        for (const char* const basis : {"none", "one"}) {
            const std::string revision = basis == std::string("none")
                ? broker::TableProjects::kNoRevision
                : finish(threads, table.find("many")).value().revision;
            std::vector<std::future<core::Expected<broker::TableProjects::Put, broker::Fault>>> waiting;
            for (std::size_t i = 1; i <= 20; ++i) {
                Policy policy;
                policy.sessionsOfUser = i + revision.size();
                waiting.push_back(begin(threads, table.put("many", policy, revision)));
            }
            int done = 0;
            for (auto& one : waiting) {
                const auto put = one.get();
                done += put ? 1 : 0;
                QVERIFY(put || put.error().code == FaultCode::ProjectChanged);
            }
            QCOMPARE(done, 1);
        }
    }

    void table_PolicyOfAnotherVersion_AllowsNothing()
    {
        NetThreads threads;
        SharedClock clock;
        CapturedLog log;
        broker::Database::Settings settings;
        settings.url = core::Secret("sqlite://:memory:");
        const auto database = std::move(broker::Database::open(std::move(settings), log).value());
        broker::TableProjects table(*database, clock);
        QVERIFY(finish(threads, table.put("choir", {})).value().isNew);
        QVERIFY(finish(threads, table.addMember("choir", "alice")).value());
        const std::function<int(broker::Connection&)> spoil = [](broker::Connection& sql) {
            sql << "UPDATE projects SET policy = '{\"yet\":\"unknown\"}'";
            return 0;
        };
        QVERIFY(finish(threads, database->run<int>(spoil)).has_value());
        const auto policy = finish(threads, table.admit(applicant("alice"), "choir")).value();
        QVERIFY(policy.providers && policy.providers->empty());
    }

    void webhook_IsAskedOnceForAWhile_AndSigned()
    {
        WebhookWorld world;
        world.webhook.says(200, R"({"allowed":true,"policy":{"models":["a"]}})");
        QCOMPARE(world.ask("alice"), std::string());
        QCOMPARE(world.ask("alice"), std::string());
        QCOMPARE(world.webhook.asked(), std::size_t(1));
        QCOMPARE(world.ask("bob"), std::string());
        QCOMPARE(world.ask("alice", "band"), std::string());
        QCOMPARE(world.webhook.asked(), std::size_t(3));
        world.webhook.says(200, R"({"allowed":false})");
        world.clock.advance(core::Milliseconds{59'999});
        QCOMPARE(world.ask("alice"), std::string());
        world.clock.advance(core::Milliseconds{1});
        QCOMPARE(world.ask("alice"), std::string("project_not_allowed"));
        QCOMPARE(world.ask("alice"), std::string("project_not_allowed"));
        QCOMPARE(world.webhook.asked(), std::size_t(4));
        const net::HttpRequest& first = world.webhook.requests.front();
        const Json body = Json::parse(first.body);
        QVERIFY(body == Json({{"issuer", "https://id.example"}, {"projectId", "choir"}, {"subject", "alice"}}));
        QCOMPARE(std::string(*first.headers.find("webhook-timestamp")), std::string("1800000000"));
        QVERIFY(first.headers.find("webhook-signature")->starts_with("v1,"));
        QVERIFY(*first.headers.find("webhook-id") != *world.webhook.requests.at(1).headers.find("webhook-id"));
        QVERIFY(world.directory->isWorking() == true);
    }

    void webhook_Signature_IsThatOfStandardWebhooks()
    {
        // The example of the specification's own libraries: id, timestamp and body are theirs, so is the signature.
        const auto secret = broker::readWebhookSecret(kSecret);
        QVERIFY(secret != nullptr);
        const std::string body = R"({"test": 2432232314})";
        const std::string signature =
            broker::webhookSignature(*secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
        QCOMPARE(signature, std::string("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        for (const char* bad : {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_!!!!"}) {
            QVERIFY(broker::readWebhookSecret(bad) == nullptr);
        }
    }

    void webhook_ThatDoesNotAnswerWell_AllowsNobody_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::newRow("failing") << 500 << QByteArray(R"({"allowed":true})");
        QTest::newRow("moved") << 302 << QByteArray(R"({"allowed":true})");
        QTest::newRow("no answer in it") << 200 << QByteArray("{}");
        QTest::newRow("yes as text") << 200 << QByteArray(R"({"allowed":"true"})");
        QTest::newRow("no JSON") << 200 << QByteArray("true");
        QTest::newRow("a policy that is none") << 200 << QByteArray(R"({"allowed":true,"policy":{"modells":[]}})");
        QTest::newRow("without end") << 200 << QByteArray(100'000, ' ') + R"({"allowed":true})";
    }
    void webhook_ThatDoesNotAnswerWell_AllowsNobody()
    {
        QFETCH(int, status);
        QFETCH(QByteArray, body);
        WebhookWorld world;
        world.webhook.says(static_cast<unsigned>(status), body.toStdString());
        QCOMPARE(world.ask("alice"), std::string("unavailable"));
        QVERIFY(world.directory->isWorking() == false);
        QVERIFY(world.log.text().find("projects.unavailable") != std::string::npos);
        // Nothing of it is kept.
        world.webhook.says(200, R"({"allowed":true})");
        QCOMPARE(world.ask("alice"), std::string());
        QVERIFY(world.directory->isWorking() == true);
    }

    void webhook_AskedInParallel_IsAskedOnce()
    {
        WebhookWorld world;
        std::vector<std::future<broker::ProjectDirectory::Answer>> waiting;
        for (int i = 0; i < 50; ++i) {
            waiting.push_back(begin(world.threads, world.directory->admit(applicant("alice"), "choir")));
        }
        for (auto& one : waiting) {
            QCOMPARE(::codeOf(one.get()), std::string());
        }
        QCOMPARE(world.webhook.asked(), std::size_t(1));
    }

    void webhook_ManyAnswers_AreKeptInBoundedNumber()
    {
        WebhookWorld world;
        world.webhook.settings.maxKept = 2;
        broker::WebhookProjects small(world.webhook.settings, {&net::sendRequest, world.clock, world.log});
        const auto ask = [&](const char* name) { (void)finish(world.threads, small.admit(applicant(name), "choir")); };
        for (const char* name : {"a", "b", "c", "c"}) {
            ask(name);
        }
        QCOMPARE(world.webhook.asked(), std::size_t(3));
        ask("a");
        QCOMPARE(world.webhook.asked(), std::size_t(4));
    }

    void claim_NamesTheCallersProjects()
    {
        OperatorWorld world([](Config& config) {
            config.projects.check = Check::Claim;
            config.issuers.back().projectsPointer = "/groups";
            config.serviceAccounts.front().projects = {"night"};
        });
        const std::string user = world.login.token("u1", "voice:mint voice:session", {{"groups", {"choir", "band"}}});
        const auto mint = [&](const std::string& token, const std::string& body) {
            return of(world.as(token, "POST", kToken, body));
        };
        QCOMPARE(mint(user, R"({"projectId":"band"})"), std::string());
        QCOMPARE(mint(user, "{}"), std::string());
        QCOMPARE(mint(user, R"({"projectId":"other"})"), std::string("project_not_allowed"));
        QCOMPARE(mint(world.user(), R"({"projectId":"band"})"), std::string("project_not_allowed"));
        QCOMPARE(mint(world.serviceKey(), R"({"projectId":"night"})"), std::string());
        QCOMPARE(mint(world.serviceKey(), R"({"projectId":"band"})"), std::string("project_not_allowed"));
        QCOMPARE(world.broker.provider.requests().size(), std::size_t(3));
        const auto lines = world.lines(6);
        const auto denied = std::find_if(lines.begin(), lines.end(),
            [](const Json& line) { return line.value("why", "") == "project_not_allowed"; });
        QVERIFY(denied != lines.end());
        QVERIFY2(denied->value("target", "") == "other", denied->dump().c_str());
        const auto minted = std::find_if(
            lines.begin(), lines.end(), [](const Json& line) { return line.value("event", "") == "token.mint"; });
        QVERIFY(minted != lines.end() && minted->value("project", "") == "band");
    }

    void required_MeansThatASessionNamesOne()
    {
        OperatorWorld world([](Config& config) { config.projects.isRequired = true; });
        QCOMPARE(of(world.as(world.user(), "POST", kToken, "{}")), std::string("project_not_allowed"));
        QCOMPARE(of(world.as(world.user(), "POST", kToken, R"({"projectId":"any"})")), std::string());
        QCOMPARE(of(world.as(world.user(), "POST", kToken, R"({"projectId":"a b"})")), std::string("invalid_body"));
    }

    void admin_KeepsTheTable_AndEachChangeIsInTheAudit()
    {
        OperatorWorld world([](Config& config) { config.projects.check = Check::Table; });
        const std::string admin = world.admin();
        const std::string base = "/api/admin/projects";
        const auto post = [&](const std::string& path, const Json& body) {
            return world.as(admin, "POST", base + path, body.dump());
        };
        QCOMPARE(codeOf(world.as(world.user(), "GET", base)), std::string("insufficient_scope"));
        QCOMPARE(codeOf(world.as(world.user(), "POST", base, R"({"id":"choir"})")), std::string("insufficient_scope"));
        for (const char* bad : {"[]", "{}", R"({"id":""})", R"({"id":"a b"})", R"({"id":"a","more":1})",
                 R"({"id":"a","policy":{"models":"x"}})"}) {
            QCOMPARE(codeOf(world.as(admin, "POST", base, bad)), std::string("invalid_body"));
        }
        QCOMPARE(post("", {{"id", "choir"}, {"policy", {{"models", {"small"}}}}}).status, 200U);
        QCOMPARE(
            of(world.as(world.user(), "POST", kToken, R"({"projectId":"choir"})")), std::string("project_not_allowed"));
        broker::auth::Caller caller;
        caller.issuer = world.login.url();
        caller.subject = "u1";
        QCOMPARE(post("/members/add", {{"project", "choir"}, {"user", caller.key()}}).status, 200U);
        QCOMPARE(codeOf(post("/members/add", {{"project", "none"}, {"user", caller.key()}})), std::string("not_found"));
        // Nobody is called that.
        QCOMPARE(codeOf(post("/members/add", {{"project", "choir"}, {"user", "u1"}})), std::string("invalid_body"));
        const auto minted = tokenOf(world.as(world.user(), "POST", kToken, R"({"projectId":"choir"})"));
        QCOMPARE(minted.model, std::string("small"));
        const Json listed = Json::parse(world.as(admin, "GET", base).body);
        QCOMPARE(listed["projects"][0].at("members").get<int>(), 1);
        const Json members = Json::parse(world.as(admin, "GET", base + "/members?project=choir").body);
        QVERIFY(members.at("members") == Json::array({caller.key()}));

        // Whoever is no member any more does not go on.
        QCOMPARE(post("/members/remove", {{"project", "choir"}, {"user", caller.key()}}).status, 200U);
        const auto refused = world.broker.send(world.broker.refreshRequest(minted.token.reveal()));
        QCOMPARE(codeOf(refused), std::string("project_not_allowed"));
        // It was counted: nobody has the projects' keeper asked for nothing.
        QVERIFY(!header(refused, "RateLimit").empty());
        QCOMPARE(post("/members/add", {{"project", "choir"}, {"user", caller.key()}}).status, 200U);
        const auto again = tokenOf(world.broker.send(world.broker.refreshRequest(minted.token.reveal())));
        QCOMPARE(again.sessionId, minted.sessionId);
        // A project that goes takes its sessions along.
        const Json removed = Json::parse(post("/remove", {{"id", "choir"}}).body);
        QCOMPARE(removed.at("ended").get<int>(), 1);
        QCOMPARE(
            codeOf(world.broker.send(world.broker.refreshRequest(again.token.reveal()))), std::string("invalid_token"));
        std::string told;
        for (const Json& line : world.lines(10)) {
            if (line.value("event", "") == "configuration.change") {
                const std::string target = line.value("target", "");
                told += line.value("outcome", "") + " " + target.substr(0, target.find(':')) + ", ";
            }
        }
        QVERIFY2(told
                == "done project choir, done member added, done member added, failed member added, "
                   "done member removed (was member), done member added, done project removed, ",
            told.c_str());
    }

    void admin_WhoSavesWhatSomebodyElseHasChanged_IsToldSo()
    {
        OperatorWorld world([](Config& config) { config.projects.check = Check::Table; });
        const std::string base = "/api/admin/projects";
        const auto post = [&](const Json& body) { return world.as(world.admin(), "POST", base, body.dump()); };
        const auto read = [&] {
            return Json::parse(world.as(world.admin(), "GET", base + "?id=choir").body).at("projects");
        };
        QVERIFY(read().empty());
        const auto made = post({{"id", "choir"}, {"revision", nullptr}});
        QCOMPARE(made.status, 200U);
        const Json seen = read().at(0);
        QVERIFY(Json::parse(made.body).at("revision") == seen.at("revision"));
        const auto change = [&](int sessions) {
            return post({{"id", "choir"}, {"policy", {{"sessionsPerUser", sessions}}}, {"revision", seen["revision"]}});
        };
        QCOMPARE(change(1).status, 200U);
        const auto late = change(2);
        QCOMPARE(late.status, 409U);
        QCOMPARE(codeOf(late), std::string("project_changed"));
        QCOMPARE(read().at(0).at("policy").at("sessionsPerUser").get<int>(), 1);
        QCOMPARE(post({{"id", "choir"}, {"revision", nullptr}}).status, 409U);
        QCOMPARE(post({{"id", "choir"}, {"revision", read().at(0).at("revision")}}).status, 200U);
        for (const Json& bad : {Json(1), Json(""), Json(std::string(65, 'a'))}) {
            QCOMPARE(codeOf(post({{"id", "choir"}, {"revision", bad}})), std::string("invalid_body"));
        }
        std::size_t failed = 0;
        for (const Json& line : world.lines(7)) {
            const std::string target = line.value("target", "");
            failed +=
                line.value("outcome", "") == "failed" && target.starts_with("project choir: sessionsPerUser 1 -> ") ? 1
                                                                                                                    : 0;
        }
        QCOMPARE(failed, std::size_t{2});
    }

    void admin_WhoLooksBack_SeesWhatWasChangedByWhom()
    {
        OperatorWorld world([](Config& config) { config.projects.check = Check::Table; });
        const auto post = [&](const std::string& path, const Json& body) {
            return world.as(world.admin(), "POST", "/api/admin/projects" + path, body.dump()).status;
        };
        const std::string key = "2:" + std::to_string(world.login.url().size()) + ":" + world.login.url() + ":u1";
        const auto member = [&](const char* role) {
            return post("/members/add", {{"project", "choir"}, {"user", key}, {"role", role}});
        };
        QCOMPARE(post("", {{"id", "choir"}, {"policy", {{"transcripts", false}, {"userDollarsPerDay", 0.05}}}}), 200U);
        // Nothing of the basis is said: what it was is what it was when it was overwritten.
        QCOMPARE(
            post("", {{"id", "choir"}, {"policy", {{"transcripts", true}, {"instructions", std::string(5'000, 'x')}}}}),
            200U);
        QCOMPARE(
            post("", {{"id", "choir"}, {"policy", {{"transcripts", true}, {"instructions", std::string(5'000, 'x')}}}}),
            200U);
        for (const char* const role : {"member", "admin", "member"}) {
            QCOMPARE(member(role), 200U);
        }
        QCOMPARE(post("/members/remove", {{"project", "choir"}, {"user", key}}), 200U);
        std::vector<std::string> told;
        for (const Json& line : world.lines(7)) {
            if (line.value("event", "") == "configuration.change") {
                told.push_back(line.value("target", ""));
            }
        }
        QCOMPARE(told,
            (std::vector<std::string>{"project choir: new, transcripts unset -> false, userDollarsPerDay unset -> 0.05",
                "project choir: transcripts false -> true, userDollarsPerDay 0.05 -> unset, instructions unset -> \""
                    + std::string(79, 'x') + "... (5002 bytes)",
                "project choir: no change", "member without admin's rights: choir " + key,
                "admin added (was member): choir " + key, "member without admin's rights (was admin): choir " + key,
                "member removed (was member): choir " + key}));
    }

    void policy_ThatDoesNotDo_IsToldByItsMember()
    {
        OperatorWorld world([](Config& config) { config.projects.check = Check::Table; });
        const auto detailOf = [&](const Json& policy) {
            const Json body{{"id", "choir"}, {"policy", policy}};
            const auto answer = world.as(world.admin(), "POST", "/api/admin/projects", body.dump());
            return Json::parse(answer.body).value("detail", std::string());
        };
        QVERIFY(detailOf({{"foo", 1}}).starts_with("policy.foo is not known; there are providers, "));
        QCOMPARE(detailOf({{"transcriptDays", 9'999}}),
            std::string("policy.transcriptDays has to be a whole number of days from 1 to 3650"));
        QCOMPARE(detailOf({{"projectDollarsPerMonth", -5}}),
            std::string("policy.projectDollarsPerMonth has to be a number of dollars from 0 to 1000000000, as 0.5"));
        QCOMPARE(detailOf(Json::array()), std::string("policy has to be an object"));
    }

    void tableRoutes_WithoutATable_AreNotThere()
    {
        OperatorWorld world;
        QCOMPARE(codeOf(world.as(world.admin(), "GET", "/api/admin/projects")), std::string("not_found"));
    }

    void policy_OfAProject_BoundsItsSessions()
    {
        OperatorWorld world([](Config& config) {
            Policy policy;
            policy.sessionsOfProject = 2;
            policy.longestSession = std::chrono::seconds(100);
            config.policies.push_back({"choir", "", "", policy});
            config.sessionsPerUser = 50;
            config.mintsPerMinute = 100;
        });
        const std::string body = R"({"projectId":"choir"})";
        std::vector<std::future<BrokerWorld::Answer>> waiting;
        for (int i = 0; i < 20; ++i) {
            auto request = world.broker.request("POST", kToken, body);
            request.headers.add("Authorization", "Bearer " + world.login.token("u" + std::to_string(i), "voice:mint"));
            waiting.push_back(world.broker.begin(std::move(request)));
        }
        std::vector<core::broker::TokenResponse> minted;
        for (auto& one : waiting) {
            const auto answer = BrokerWorld::wait(std::move(one));
            if (answer.status == 200) {
                minted.push_back(tokenOf(answer));
            } else {
                QCOMPARE(codeOf(answer), std::string("too_many_sessions"));
            }
        }
        QCOMPARE(minted.size(), std::size_t(2));
        QCOMPARE(of(world.as(world.user(), "POST", kToken, "{}")), std::string());
        // After a hundred seconds it is over, however often it was renewed.
        world.broker.clock.advance(std::chrono::seconds(50));
        const auto renewed = tokenOf(world.broker.send(world.broker.refreshRequest(minted.front().token.reveal())));
        QCOMPARE(renewed.sessionId, minted.front().sessionId);
        world.broker.clock.advance(std::chrono::seconds(50));
        QCOMPARE(codeOf(world.broker.send(world.broker.refreshRequest(renewed.token.reveal()))),
            std::string("token_expired"));
    }

    void policy_ThatBecameNarrower_HoldsFromTheNextRefreshOn()
    {
        OperatorWorld world;
        const auto minted = tokenOf(world.as(world.user(), "POST", kToken, R"({"model":"large"})"));
        QCOMPARE(world.broker.reload([](Config& config) { config.policy.models = broker::Allowed({"small"}); }),
            std::string());
        QCOMPARE(
            codeOf(world.broker.send(world.broker.refreshRequest(minted.token.reveal()))), std::string("not_allowed"));
        // It was not spent by that.
        QCOMPARE(world.broker.reload([](Config&) {}), std::string());
        QCOMPARE(world.broker.send(world.broker.refreshRequest(minted.token.reveal())).status, 200U);
    }
};

QTEST_GUILESS_MAIN(TestBrokerProjects)
#include "test_broker_projects.moc"
