#include "broker/admin/page_query.h"
#include "broker/admin/pages.h"
#include "broker/audit/file_audit_trail.h"
#include "tests/broker/limits_harness.h"
#include "tests/broker/relay_harness.h"
#include "tests/net/raw_socket.h"

#include <QFloat16>
#include <QTest>
#include <QUrl>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

constexpr const char* kSessions = "/api/admin/sessions";
constexpr const char* kAudit = "/api/admin/audit";
/// A dollar's worth: 64 dollars a million.
constexpr const char* kDollarOfSpeech =
    R"({"type":"response.done","event_id":"e","response":{"id":"r1","object":"realtime.response",)"
    R"("status":"completed","output":[],"usage":{"total_tokens":15625,"input_tokens":0,)"
    R"("output_tokens":15625,"output_token_details":{"text_tokens":0,"audio_tokens":15625}}}})";

Json bodyOf(const BrokerWorld::Answer& answer)
{
    if (answer.status != 200) {
        qFatal("%d %s", answer.status, answer.body.c_str());
    }
    return Json::parse(answer.body);
}

std::string mint(OperatorWorld& world, const std::string& user = "u1", const std::string& body = "{}")
{
    return bodyOf(world.as(world.user(user), "POST", "/api/voice-agent/token", body))
        .at("sessionId")
        .get<std::string>();
}

BrokerWorld::Answer plain(
    OperatorWorld& world, const std::string& path, const core::HttpHeaders& headers = core::HttpHeaders())
{
    auto request = world.broker.request("GET", path);
    for (const auto& field : headers.fields()) {
        request.headers.set(field.name, field.value);
    }
    return world.broker.send(std::move(request));
}

/// What comes of the events, part by part.
class Events {
public:
    Events(const OperatorWorld& world, const std::string& token)
        : m_socket(static_cast<std::uint16_t>(QUrl(QString::fromStdString(world.broker.url())).port()))
    {
        m_socket.send("GET /api/admin/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token + "\r\n\r\n");
        head = m_socket.readUntil("\r\n\r\n");
    }
    /// Empty: they have ended as they should.
    std::string next()
    {
        const auto size = std::stoul("0" + m_socket.readUntil("\r\n"), nullptr, 16);
        std::string part = size == 0 ? std::string() : m_socket.readExactly(size);
        if (size != 0) {
            (void)m_socket.readExactly(2);
        }
        return part;
    }
    Json nextOverview()
    {
        const std::string part = next();
        constexpr std::string_view kHead = "event: overview\ndata: ";
        if (!part.starts_with(kHead)) {
            qFatal("no overview: %s", part.c_str());
        }
        return Json::parse(part.substr(kHead.size()));
    }
    void close() { m_socket.close(); }

    std::string head;

private:
    net::test::RawSocket m_socket;
};

} // namespace

/// The dashboard's page, and what it asks for.
class TestBrokerDashboard : public QObject {
    Q_OBJECT

private slots:
    void page_MayDoNothingButWhatItIsFor()
    {
        OperatorWorld world;
        const auto page = plain(world, "/admin");
        QCOMPARE(page.status, 200U);
        QCOMPARE(header(page, "Content-Type"), std::string("text/html; charset=utf-8"));
        QCOMPARE(header(page, "Content-Security-Policy"),
            std::string(
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
                "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
                "trusted-types 'none'"));
        QCOMPARE(header(page, "X-Frame-Options"), std::string("deny"));
        QCOMPARE(header(page, "X-Content-Type-Options"), std::string("nosniff"));
        QCOMPARE(header(page, "Referrer-Policy"), std::string("no-referrer"));
        // What the policy would refuse is not there.
        QVERIFY(page.body.find("<script>") == std::string::npos);
        QVERIFY(page.body.find("style=") == std::string::npos);
        QVERIFY(page.body.find(" on") == std::string::npos || page.body.find("onclick") == std::string::npos);
        QVERIFY(page.body.find("http") == std::string::npos);
        // Everything else stays as it was.
        QCOMPARE(header(plain(world, "/openapi.json"), "Content-Security-Policy"),
            std::string("default-src 'none'; frame-ancestors 'none'"));
        QCOMPARE(header(plain(world, "/admin/none.js"), "Content-Security-Policy"),
            std::string("default-src 'none'; frame-ancestors 'none'"));
    }

    void files_AreKept_AndAskedAbout()
    {
        OperatorWorld world;
        QVERIFY(broker::admin::pageFiles().size() > 10);
        for (const auto& file : broker::admin::pageFiles()) {
            const std::string path = "/admin/" + std::string(file.name);
            const auto answer = plain(world, path);
            QCOMPARE(answer.status, 200U);
            QCOMPARE(answer.body, std::string(file.text));
            QCOMPARE(header(answer, "Cache-Control"), std::string("no-cache"));
            QVERIFY(header(answer, "Content-Type") != "application/octet-stream");
            core::HttpHeaders known;
            known.set("If-None-Match", header(answer, "ETag"));
            const auto again = plain(world, path, known);
            QCOMPARE(again.status, 304U);
            QVERIFY(again.body.empty());
            // No markup from text: Trusted Types would stop it, and nobody is to try.
            for (const char* const sink :
                {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage"}) {
                QVERIFY2(file.text.find(sink) == std::string_view::npos, (path + " " + sink).c_str());
            }
        }
        QCOMPARE(plain(world, "/admin/none.js").status, 404U);
        QCOMPARE(plain(world, "/admin/..%2fbroker.toml").status, 404U);
        const auto slash = plain(world, "/admin/");
        QCOMPARE(slash.status, 308U);
        QCOMPARE(header(slash, "Location"), std::string("../admin"));
        QCOMPARE(world.as(world.admin(), "POST", "/admin", "{}").status, 405U);
    }

    void signIn_IsWhereTheIssuerKnowsTheDashboard()
    {
        OperatorWorld world([](broker::Config& config) {
            config.issuers.front().dashboardClientId = "vivavoce-dashboard";
            config.issuers.front().audiences = {"vivavoce", "https://voice.example"};
        });
        const Json told = bodyOf(plain(world, "/api/admin/sign-in"));
        QCOMPARE(told,
            Json({{"issuers",
                Json::array({{{"issuer", world.login.url()}, {"clientId", "vivavoce-dashboard"}, {"token", "access"},
                    {"scope", "openid voice:admin"}, {"resource", "https://voice.example"}}})}}));
        const std::string policy = header(plain(world, "/admin"), "Content-Security-Policy");
        QVERIFY2(policy.find("connect-src 'self' " + world.login.url() + ";") != std::string::npos, policy.c_str());
        OperatorWorld without;
        QCOMPARE(bodyOf(plain(without, "/api/admin/sign-in")), Json({{"issuers", Json::array()}}));
    }

    void routes_AreForAdmins_data()
    {
        QTest::addColumn<QByteArray>("method");
        QTest::addColumn<QByteArray>("path");
        for (const char* const path : {"overview", "events", "sessions", "budgets", "audit"}) {
            QTest::newRow(path) << QByteArray("GET") << QByteArray("/api/admin/") + path;
        }
        QTest::newRow("verify") << QByteArray("POST") << QByteArray("/api/admin/audit/verify");
    }
    void routes_AreForAdmins()
    {
        QFETCH(QByteArray, method);
        QFETCH(QByteArray, path);
        OperatorWorld world;
        const auto answer = world.broker.send(world.broker.request(method.toStdString(), path.toStdString()));
        QCOMPARE(answer.status, 401U);
        const auto users = world.as(world.user(), method.data(), path.toStdString());
        QCOMPARE(users.status, 403U);
        QCOMPARE(codeOf(users), std::string("insufficient_scope"));
        QCOMPARE(
            codeOf(world.as(world.serviceKey(), method.data(), path.toStdString())), std::string("insufficient_scope"));
        QCOMPARE(world.as("wrong", method.data(), path.toStdString()).status, 401U);
    }

    void sessions_AreEverybodys_PageByPage()
    {
        OperatorWorld world;
        std::set<std::string> minted;
        for (const char* const user : {"u1", "u2", "u3"}) {
            minted.insert(mint(world, user, R"({"projectId":"choir"})"));
            world.broker.clock.advance(core::Milliseconds(1'000));
        }
        minted.insert(mint(world, "u1"));
        std::set<std::string> seen;
        std::string query = "?limit=3";
        const Json first = bodyOf(world.as(world.admin(), "GET", kSessions + query));
        QCOMPARE(first["sessions"].size(), std::size_t{3});
        const Json second =
            bodyOf(world.as(world.admin(), "GET", kSessions + query + "&before=" + first["next"].get<std::string>()));
        QCOMPARE(second["sessions"].size(), std::size_t{1});
        QVERIFY(!second.contains("next"));
        for (const Json& page : {first, second}) {
            for (const Json& session : page["sessions"]) {
                seen.insert(session["sessionId"].get<std::string>());
            }
        }
        QCOMPARE(seen, minted);
        const Json& oldest = second["sessions"][0];
        QCOMPARE(oldest["subject"], Json("u1"));
        QCOMPARE(oldest["issuer"], Json(world.login.url()));
        QCOMPARE(oldest["projectId"], Json("choir"));
        QCOMPARE(oldest["transport"], Json("direct"));
        QVERIFY(!first["sessions"][0].contains("projectId"));
        const std::string user = oldest["user"].get<std::string>();
        const auto count = [&](const std::string& what) {
            return bodyOf(world.as(world.admin(), "GET", kSessions + what))["sessions"].size();
        };
        QCOMPARE(count("?user=" + QUrl::toPercentEncoding(QString::fromStdString(user)).toStdString()), std::size_t{2});
        QCOMPARE(count("?project=choir"), std::size_t{3});
        QCOMPARE(count("?project=none"), std::size_t{0});
        // It goes with its end.
        QCOMPARE(
            world.as(world.admin(), "DELETE", "/api/voice/session/" + oldest["sessionId"].get<std::string>()).status,
            200U);
        QCOMPARE(count("?project=choir"), std::size_t{2});
    }

    void lists_RefuseWhatTheyDoNotUnderstand_data()
    {
        QTest::addColumn<QByteArray>("path");
        for (const char* const path : {"sessions?limit=0", "sessions?limit=1001", "sessions?limit=x",
                 "sessions?limit=1&limit=2", "sessions?users=u1", "budgets?by=model", "budgets?before=1",
                 "budgets?limit=101", "audit?before=x", "audit?before=0", "audit?kind=most"}) {
            QTest::newRow(path) << QByteArray("/api/admin/") + path;
        }
    }
    void lists_RefuseWhatTheyDoNotUnderstand()
    {
        QFETCH(QByteArray, path);
        OperatorWorld world;
        const auto answer = world.as(world.admin(), "GET", path.toStdString());
        QCOMPARE(answer.status, 400U);
        QCOMPARE(codeOf(answer), std::string("bad_request"));
    }

    void query_ThatCannotBeRead_IsToldAsWhatItIs_data()
    {
        QTest::addColumn<QByteArray>("query");
        QTest::addColumn<QByteArray>("detail");
        const QByteArray broken = ": % has to be followed by two hexadecimal digits; one that is meant is written %25";
        QTest::newRow("nothing") << QByteArray() << QByteArray();
        QTest::newRow("all that may be") << QByteArray("text=a+b%2B%C3%A9&&by=&x") << QByteArray();
        QTest::newRow("no UTF-8") << QByteArray("by=day&text=%ff") << QByteArray("text is not UTF-8");
        QTest::newRow("half a letter") << QByteArray("user=%c3") << QByteArray("user is not UTF-8");
        QTest::newRow("broken") << QByteArray("text=%") << "text" + broken;
        QTest::newRow("broken at its end") << QByteArray("project=a%4") << "project" + broken;
        QTest::newRow("no digits") << QByteArray("id=100%25&after=%zz") << "after" + broken;
        QTest::newRow("a broken name") << QByteArray("us%er=u1") << "a parameter" + broken;
        QTest::newRow("not encoded") << QByteArray("text=\"a\"")
                                     << QByteArray("text has a character that has to be percent-encoded");
    }
    void query_ThatCannotBeRead_IsToldAsWhatItIs()
    {
        QFETCH(QByteArray, query);
        QFETCH(QByteArray, detail);
        const auto fault = broker::admin::encodingFault(query.toStdString());
        QCOMPARE(fault ? fault->detail : std::string(), detail.toStdString());
    }

    void query_ThatIsNoUtf8_HasACodeOfItsOwn()
    {
        OperatorWorld world(
            [](broker::Config& config) { config.projects.check = broker::ProjectSettings::Check::Table; });
        for (const char* const path : {"voice/transcripts?text=%ff", "voice/usage?project=%fe",
                 "admin/sessions?user=%c3", "admin/projects?id=%ff", "admin/projects/members?project=%ff"}) {
            const auto answer = world.as(world.admin(), "GET", std::string("/api/") + path);
            QCOMPARE(answer.status, 400U);
            QCOMPARE(codeOf(answer), std::string("invalid_encoding"));
        }
    }

    void session_ShowsWhatItCameTo()
    {
        RelayWorld world([](broker::Config& config) {
            config.pricesFile = std::string(std::getenv("VV_SOURCE_DIR")) + "/resources/prices/prices.json";
            config.providerModel = "gpt-realtime";
            config.policy.budgets.userDay.nanoDollars = 10'000'000'000;
            config.policies.push_back({"choir", {}, {}, {}});
            config.policies.back().policy.budgets.projectMonth.nanoDollars = 8'000'000'000;
            config.policies.back().policy.budgets.projectDay.connected = std::chrono::minutes(30);
            config.policies.back().policy.budgets.userMonth.nanoDollars = 9'000'000'000;
        });
        auto& operators = world.operators;
        const auto client = world.open(world.session(R"({"projectId":"choir"})"));
        const auto provider = world.upstream.next();
        provider->send(kDollarOfSpeech);
        (void)client->line().next();
        operators.broker.clock.advance(core::Milliseconds(15'000));
        Json session;
        QTRY_VERIFY2((session = bodyOf(operators.as(operators.admin(), "GET", kSessions))["sessions"][0],
                         session["minutes"].get<double>() == 0.25),
            session.dump().c_str());
        QCOMPARE(session["cost"].get<double>(), 1.0);
        QCOMPARE(session["turns"].get<int>(), 1);
        QCOMPARE(session["tokens"]["audioOut"].get<int>(), 15'625);
        QCOMPARE(session["transport"], Json("relay"));
        const Json budgets = bodyOf(operators.as(operators.admin(), "GET", "/api/admin/budgets"));
        const Json& choir = budgets["budgets"].at(0);
        QCOMPARE(choir["project"], Json("choir"));
        QCOMPARE(choir["month"]["leftDollars"].get<double>(), 7.0);
        QCOMPARE(choir["day"]["budgetMinutes"].get<double>(), 30.0);
        QCOMPARE(choir["day"]["leftMinutes"].get<double>(), 29.75);
        QVERIFY(!choir["day"].contains("budgetDollars"));
        const Json users = bodyOf(operators.as(operators.admin(), "GET", "/api/admin/budgets?by=user"));
        QCOMPARE(users["budgets"].at(0)["subject"], Json("u1"));
        QCOMPARE(users["budgets"].at(0)["day"]["leftDollars"].get<double>(), 9.0);
        QVERIFY(!users["budgets"].at(0)["month"].contains("budgetDollars"));
        const Json& within = users["budgets"].at(0).at("projects");
        QCOMPARE(within.size(), std::size_t{1});
        QCOMPARE(within[0].at("project"), Json("choir"));
        QCOMPARE(within[0].at("month").at("budgetDollars").get<double>(), 9.0);
        QCOMPARE(within[0].at("month").at("leftDollars").get<double>(), 8.0);
        const Json overview = bodyOf(operators.as(operators.admin(), "GET", "/api/admin/overview"));
        QCOMPARE(overview["today"]["cost"].get<double>(), 1.0);
        QCOMPARE(overview["sessions"]["streams"].get<int>(), 1);
        QCOMPARE(overview["tokens"]["mintedRelay"].get<int>(), 1);
    }

    void budgets_OfProjectsThatAreKeptHere_AreThereBeforeAnythingIsSpent()
    {
        OperatorWorld world(
            [](broker::Config& config) { config.projects.check = broker::ProjectSettings::Check::Table; });
        for (const char* const id : {"band", "choir", "trio"}) {
            QCOMPARE(world
                         .as(world.admin(), "POST", "/api/admin/projects",
                             Json({{"id", id}, {"policy", {{"projectDollarsPerDay", 2.5}}}}).dump())
                         .status,
                200U);
        }
        const Json first = bodyOf(world.as(world.admin(), "GET", "/api/admin/budgets?limit=2"));
        QCOMPARE(first["budgets"].size(), std::size_t{2});
        QCOMPARE(first["budgets"][0]["day"]["leftDollars"].get<double>(), 2.5);
        QCOMPARE(first["next"], Json("choir"));
        const Json second = bodyOf(world.as(world.admin(), "GET", "/api/admin/budgets?limit=2&after=choir"));
        QCOMPARE(second["budgets"].size(), std::size_t{1});
        QVERIFY(!second.contains("next"));
        QVERIFY(bodyOf(world.as(world.admin(), "GET", "/api/admin/overview"))["keepsProjects"].get<bool>());
    }

    void budgets_OfUsers_HaveThoseThatTheirProjectsGiveThem()
    {
        RelayWorld world([](broker::Config& config) {
            config.pricesFile = std::string(std::getenv("VV_SOURCE_DIR")) + "/resources/prices/prices.json";
            config.providerModel = "gpt-realtime";
            config.projects.check = broker::ProjectSettings::Check::Table;
        });
        auto& operators = world.operators;
        const std::string key =
            "2:" + std::to_string(operators.login.url().size()) + ":" + operators.login.url() + ":u1";
        const auto post = [&](const std::string& path, const Json& body) {
            return operators.as(operators.admin(), "POST", "/api/admin/projects" + path, body.dump()).status;
        };
        QCOMPARE(post("", {{"id", "choir"}, {"policy", {{"userDollarsPerDay", 9}}}}), 200U);
        QCOMPARE(post("", {{"id", "band"}, {"policy", {{"userDollarsPerMonth", 0.5}}}}), 200U);
        QCOMPARE(post("", {{"id", "trio"}, {"policy", {{"projectDollarsPerDay", 5}}}}), 200U);
        QCOMPARE(post("", {{"id", "others"}, {"policy", {{"userDollarsPerDay", 5}}}}), 200U);
        for (const char* const project : {"choir", "band", "trio"}) {
            QCOMPARE(post("/members/add", {{"project", project}, {"user", key}}), 200U);
        }
        const auto client = world.open(world.session(R"({"projectId":"choir"})"));
        const auto provider = world.upstream.next();
        provider->send(kDollarOfSpeech);
        (void)client->line().next();
        const Json users = bodyOf(operators.as(operators.admin(), "GET", "/api/admin/budgets?by=user"));
        QCOMPARE(users["budgets"].size(), std::size_t{1});
        QVERIFY(!users["budgets"][0]["day"].contains("budgetDollars"));
        const Json& within = users["budgets"][0].at("projects");
        QCOMPARE(within.size(), std::size_t{2});
        // Whatever they spend counts, also where they have not been.
        QCOMPARE(within[0].at("project"), Json("band"));
        QCOMPARE(within[0].at("month").at("budgetDollars").get<double>(), 0.5);
        QCOMPARE(within[0].at("month").at("leftDollars").get<double>(), 0.0);
        QCOMPARE(within[1].at("project"), Json("choir"));
        QCOMPARE(within[1].at("day").at("spentDollars").get<double>(), 1.0);
        QCOMPARE(within[1].at("day").at("leftDollars").get<double>(), 8.0);
    }

    void overview_CountsWhatHappened()
    {
        OperatorWorld world;
        (void)mint(world);
        (void)world.as(world.user(), "GET", kSessions);
        const Json told = bodyOf(world.as(world.admin(), "GET", "/api/admin/overview"));
        QCOMPARE(told["tokens"], Json({{"mintedDirect", 1}, {"mintedRelay", 0}, {"refreshed", 0}}));
        QCOMPARE(told["denials"], Json({{"insufficient_scope", 1}}));
        QCOMPARE(told["today"]["sessions"].get<int>(), 1);
        QCOMPARE(told["services"]["database"], Json("ok"));
        QCOMPARE(told["services"]["audit"], Json("ok"));
        QCOMPARE(told["providers"][0]["state"], Json("ok"));
        QVERIFY(told["keepsAudit"].get<bool>());
        QVERIFY(!told["keepsProjects"].get<bool>());
    }

    void events_TellNewsOnly_AndEnd()
    {
        OperatorWorld world;
        Events events(world, world.admin());
        QVERIFY(events.head.find("Content-Type: text/event-stream\r\n") != std::string::npos);
        const Json first = events.nextOverview();
        QCOMPARE(first["tokens"]["mintedDirect"].get<int>(), 0);
        (void)mint(world);
        // Its parts become known one after the other: sessions are counted once a second.
        Json told = first;
        for (int i = 0; i < 10 && told["tokens"]["mintedDirect"] != 1; ++i) {
            told = events.nextOverview();
        }
        QCOMPARE(told["tokens"]["mintedDirect"].get<int>(), 1);
        // Whoever listens shows after some minutes that they still may.
        world.broker.clock.advance(core::Milliseconds(301'000));
        for (int i = 0; i < 10 && !events.next().empty(); ++i) {
        }
        QVERIFY(true);
    }

    void events_EndWithTheirToken()
    {
        OperatorWorld world;
        Events events(world, world.login.token("root", "voice:admin", {{"exp", 1'800'000'060}}));
        (void)events.nextOverview();
        // Some seconds after its end a token still does: clocks differ.
        world.broker.clock.advance(core::Milliseconds(91'000));
        bool hasEnded = false;
        for (int i = 0; i < 10 && !hasEnded; ++i) {
            hasEnded = events.next().empty();
        }
        QVERIFY(hasEnded);
    }

    void events_AreForFew_AndEndWithTheBroker()
    {
        OperatorWorld world;
        std::vector<std::unique_ptr<Events>> listeners;
        const auto adminOf = [&](int number) {
            return world.login.token("root" + std::to_string(number), "voice:admin");
        };
        for (int i = 0; i < 32; ++i) {
            listeners.push_back(std::make_unique<Events>(world, adminOf(i / 8)));
            (void)listeners.back()->nextOverview();
        }
        const auto answer = world.as(adminOf(4), "GET", "/api/admin/events");
        QCOMPARE(answer.status, 503U);
        QCOMPARE(header(answer, "Retry-After"), std::string("10"));
        QElapsedTimer timer;
        timer.start();
        world.broker.drain();
        QVERIFY2(timer.elapsed() < 4'000, qPrintable(QString::number(timer.elapsed())));
    }

    void events_OfOneAdmin_LeaveRoomForOthers()
    {
        OperatorWorld world;
        std::vector<std::unique_ptr<Events>> listeners;
        const auto listen = [&](const std::string& token) {
            listeners.push_back(std::make_unique<Events>(world, token));
            return listeners.back()->head.starts_with("HTTP/1.1 200");
        };
        const std::string greedy = world.login.token("root", "voice:admin");
        for (int i = 0; i < 8; ++i) {
            QVERIFY(listen(greedy));
        }
        // Another token of the same admin's is no other admin.
        const auto refused = world.as(world.login.token("root", "voice:admin voice:mint"), "GET", "/api/admin/events");
        QCOMPARE(refused.status, 429U);
        QCOMPARE(codeOf(refused), std::string("rate_limited"));
        QCOMPARE(header(refused, "Retry-After"), std::string("10"));
        QVERIFY(refused.body.find("8 times already") != std::string::npos);
        QVERIFY(listen(world.login.token("other", "voice:admin")));
        // Whose time is over leaves a seat.
        world.broker.clock.advance(core::Milliseconds(301'000));
        for (const auto& listener : listeners) {
            for (int i = 0; i < 10 && !listener->next().empty(); ++i) {
            }
        }
        QVERIFY(QTest::qWaitFor([&] { return listen(greedy); }));
    }

    void audit_IsReadFromItsEnd()
    {
        OperatorWorld world;
        (void)mint(world, "u1");
        (void)mint(world, "u2");
        (void)world.as(world.user(), "GET", kSessions);
        (void)world.lines(3);
        const auto ask = [&](const std::string& query) {
            return bodyOf(world.as(world.admin(), "GET", kAudit + query));
        };
        Json all;
        QTRY_VERIFY((all = ask(""), all["lines"].size() >= 4));
        QVERIFY(all["isWhole"].get<bool>());
        QVERIFY(!all.contains("next"));
        QCOMPARE(all["verification"], Json({{"state", "never"}}));
        QCOMPARE(all["chain"], Json("broker"));
        QCOMPARE(all["chains"],
            Json::parse(R"([{"chain":"broker","verification":{"state":"never"}},)"
                        R"({"chain":"command-line","verification":{"state":"never"}}])"));
        QVERIFY(ask("?chain=command-line")["lines"].empty());
        QCOMPARE(world.as(world.admin(), "GET", std::string(kAudit) + "?chain=other").status, 400U);
        QCOMPARE(all["lines"].back()["event"], Json("broker.start"));
        const Json page = ask("?limit=1");
        QCOMPARE(page["lines"].size(), std::size_t{1});
        const auto number = page["lines"][0]["seq"].get<int>();
        QCOMPARE(page["next"].get<int>(), number);
        QCOMPARE(ask("?limit=1&before=" + std::to_string(number))["lines"][0]["seq"].get<int>(), number - 1);
        const Json security = ask("?kind=security");
        for (const Json& line : security["lines"]) {
            QCOMPARE(line["event"], Json("request.deny"));
        }
    }

    void audit_TellsWhetherItIsAsItWasWritten()
    {
        OperatorWorld world;
        (void)mint(world, "somebody");
        (void)world.lines(1);
        const auto verified = [&] {
            (void)bodyOf(world.as(world.admin(), "POST", "/api/admin/audit/verify"));
            Json told;
            (void)QTest::qWaitFor([&] {
                told = bodyOf(world.as(world.admin(), "GET", kAudit));
                return told["verification"]["state"] != "running";
            });
            return told;
        };
        const Json whole = verified();
        QCOMPARE(whole["verification"]["state"], Json("whole"));
        QVERIFY(whole["verification"]["lines"].get<int>() >= 2);
        for (const auto& file : std::filesystem::directory_iterator(world.audit.path().toStdString())) {
            if (file.path().extension() == ".jsonl") {
                std::fstream text(file.path(), std::ios::in | std::ios::out | std::ios::binary);
                std::string content((std::istreambuf_iterator<char>(text)), {});
                const auto at = content.find("somebody");
                QVERIFY(at != std::string::npos);
                text.clear();
                text.seekp(static_cast<std::streamoff>(at));
                text.write("Somebody", 8);
            }
        }
        const Json flawed = verified();
        QVERIFY(!flawed["isWhole"].get<bool>());
        QCOMPARE(flawed["verification"]["state"], Json("flawed"));
        QCOMPARE(flawed["verification"]["flaw"], Json("audit.altered"));
    }

    /// Its chain has another writer, and is looked at like the broker's.
    void auditOfTheCommandLine_IsRead_AndVerified_BesideTheBrokers()
    {
        OperatorWorld world;
        const std::filesystem::path folder =
            std::filesystem::path(world.audit.path().toStdString()) / broker::kCommandLineChain;
        const auto verified = [&] {
            (void)bodyOf(world.as(world.admin(), "POST", "/api/admin/audit/verify"));
            Json told;
            (void)QTest::qWaitFor([&] {
                told = bodyOf(world.as(world.admin(), "GET", std::string(kAudit) + "?chain=command-line"));
                return told["chains"].at(0)["verification"]["state"] != "running"
                    && told["chains"].at(1)["verification"]["state"] != "running";
            });
            return told;
        };
        QCOMPARE(verified()["verification"]["state"], Json("absent"));
        std::filesystem::create_directory(folder);
        {
            broker::FileAuditTrail::Settings settings;
            settings.folder = folder;
            const auto trail =
                std::move(broker::FileAuditTrail::create(settings, {world.broker.clock, world.broker.log}).value());
            for (int i = 0; i < 3; ++i) {
                broker::AuditRecord record;
                record.event = broker::AuditEvent::ConfigurationChange;
                record.target = "project choir";
                QVERIFY(finish(world.broker.threads, trail->append(std::move(record))).has_value());
            }
        }
        const Json whole = verified();
        QCOMPARE(whole["chain"], Json("command-line"));
        QCOMPARE(whole["lines"].size(), std::size_t{3});
        QCOMPARE(whole["verification"]["state"], Json("whole"));
        QCOMPARE(whole["verification"]["lines"], Json(3));
        for (const auto& file : std::filesystem::directory_iterator(folder)) {
            if (file.path().extension() == ".jsonl") {
                std::fstream text(file.path(), std::ios::in | std::ios::out | std::ios::binary);
                std::string content((std::istreambuf_iterator<char>(text)), {});
                text.clear();
                text.seekp(static_cast<std::streamoff>(content.find("choir")));
                text.write("Choir", 5);
            }
        }
        const Json flawed = verified();
        QCOMPARE(flawed["verification"]["flaw"], Json("audit.altered"));
        QCOMPARE(flawed["chains"].at(1)["verification"], flawed["verification"]);
        QCOMPARE(flawed["chains"].at(0)["verification"]["state"], Json("whole"));
    }

    void embeddedBroker_HasADashboard_ButNoAudit()
    {
        BrokerWorld world;
        auto overview = world.request("GET", "/api/admin/overview");
        overview.headers.set("Authorization", std::string("Bearer ") + BrokerWorld::kCredential);
        const auto told = world.send(std::move(overview));
        QCOMPARE(told.status, 200U);
        QVERIFY(!Json::parse(told.body)["keepsAudit"].get<bool>());
        for (const char* const method : {"GET", "POST"}) {
            auto audit = world.request(method, method == std::string("GET") ? kAudit : "/api/admin/audit/verify");
            audit.headers.set("Authorization", std::string("Bearer ") + BrokerWorld::kCredential);
            const auto answer = world.send(std::move(audit));
            QCOMPARE(answer.status, 404U);
        }
    }
};

QTEST_GUILESS_MAIN(TestBrokerDashboard)
#include "test_broker_dashboard.moc"
