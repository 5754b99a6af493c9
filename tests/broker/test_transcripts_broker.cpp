#include "tests/broker/relay_harness.h"

#include <QTest>
#include <QUrl>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;
using Check = broker::ProjectSettings::Check;

namespace {

constexpr const char* kPath = "/api/voice/transcripts";
constexpr const char* kChoir = R"({"projectId":"choir"})";
constexpr const char* kBand = R"({"projectId":"band"})";

/// The project wants to have kept what is said.
void keeps(broker::Config& config, const char* project)
{
    broker::PolicyRow row;
    row.project = project;
    row.policy.transcripts = true;
    config.policies.push_back(row);
}

/// The band does not.
void choirKeeps(broker::Config& config)
{
    keeps(config, "choir");
}

void inTable(broker::Config& config)
{
    config.projects.check = Check::Table;
}

std::string reply(const std::string& id, const std::string& text)
{
    return Json({{"type", "response.output_audio_transcript.done"}, {"event_id", "e"}, {"response_id", "r" + id},
                    {"item_id", id}, {"output_index", 0}, {"content_index", 0}, {"transcript", text}})
        .dump();
}

std::string created(const std::string& id)
{
    return Json({{"type", "response.created"}, {"event_id", "e"},
                    {"response", {{"id", "r" + id}, {"object", "realtime.response"}}}})
        .dump();
}

std::string heard(const std::string& id, const std::string& text)
{
    return Json({{"type", "conversation.item.input_audio_transcription.completed"}, {"event_id", "e"}, {"item_id", id},
                    {"content_index", 0}, {"transcript", text}})
        .dump();
}

std::string committed(const std::string& id)
{
    return Json(
        {{"type", "input_audio_buffer.committed"}, {"event_id", "e"}, {"item_id", id}, {"previous_item_id", nullptr}})
        .dump();
}

std::string typed(const std::string& text)
{
    return Json(
        {{"type", "conversation.item.create"},
            {"item", {{"type", "message"}, {"role", "user"}, {"content", {{{"type", "input_text"}, {"text", text}}}}}}})
        .dump();
}

/// A client and its provider, at one session's stream.
struct Talk {
    Talk(RelayWorld& theWorld, const std::string& body, const std::string& user = "u1")
        : world(theWorld),
          session(world.session(body, user)),
          client(world.open(session)),
          provider(world.upstream.next())
    {
    }
    /// What the provider says has come to the client, and so all before it through the relay.
    void says(const std::string& text)
    {
        provider->send(text);
        QCOMPARE(client->line().next(), text);
    }
    /// A question that becomes known after its answer.
    void exchange(const std::string& question, const std::string& answer)
    {
        const std::string number = std::to_string(++turns);
        says(committed("u" + number));
        says(created("a" + number));
        says(reply("a" + number, answer));
        says(heard("u" + number, question));
    }
    void end()
    {
        client->line().close(1000, "");
        (void)provider->end();
    }
    /// With a stream that takes the place of the former.
    void comeAgain()
    {
        client->drop();
        client = world.open(session);
        provider = world.upstream.next();
    }

    RelayWorld& world;
    core::broker::TokenResponse session;
    std::unique_ptr<StreamClient> client;
    std::shared_ptr<Line> provider;
    int turns = 0;
};

struct World : RelayWorld {
    explicit World(const std::function<void(broker::Config&)>& change)
        : RelayWorld([change](broker::Config& config) {
              // Tests ask again and again.
              config.othersPerMinute = 100'000;
              change(config);
          })
    {
    }

    [[nodiscard]] BrokerWorld::Answer ask(
        const std::string& token, const std::string& rest = {}, const char* method = "GET")
    {
        return operators.as(token, method, kPath + rest);
    }
    [[nodiscard]] Json list(const std::string& query = {})
    {
        return Json::parse(ask(operators.admin(), query).body).at("transcripts");
    }
    /// "user: …", in order, once there are so many.
    [[nodiscard]] std::vector<std::string> said(const std::string& session, std::size_t lines)
    {
        std::vector<std::string> all;
        (void)QTest::qWaitFor([&] {
            all.clear();
            const auto answer = ask(operators.admin(), "/" + session);
            if (answer.status == 200) {
                const Json body = Json::parse(answer.body);
                for (const Json& line : body.at("lines")) {
                    const auto extent = line.at("extent").get<std::string>();
                    all.push_back(line.at("speaker").get<std::string>() + ": " + line.at("text").get<std::string>()
                        + (extent == "whole" ? "" : " (" + extent + ")"));
                }
            }
            return all.size() >= lines;
        });
        return all;
    }
    [[nodiscard]] bool isWhole(const std::string& session)
    {
        return Json::parse(ask(operators.admin(), "/" + session).body).at("isWhole").get<bool>();
    }
    /// What is known by then has been written, and would be there.
    void settle(const std::string& user = "settler")
    {
        Talk other(*this, kChoir, user);
        other.exchange("settled?", "settled");
        (void)said(other.session.sessionId, 2);
        other.end();
    }
    [[nodiscard]] std::string keyOf(const std::string& user) const
    {
        return "2:" + std::to_string(operators.login.url().size()) + ":" + operators.login.url() + ":" + user;
    }
    /// Of projects that are kept here.
    void put(const std::string& project, const Json& policy)
    {
        QCOMPARE(operators
                     .as(operators.admin(), "POST", "/api/admin/projects",
                         Json({{"id", project}, {"policy", policy}}).dump())
                     .status,
            200);
    }
    void addMember(const std::string& project, const std::string& user, const std::string& role = "member")
    {
        const Json body{{"project", project}, {"user", keyOf(user)}, {"role", role}};
        QCOMPARE(operators.as(operators.admin(), "POST", "/api/admin/projects/members/add", body.dump()).status, 200);
    }
    /// The transcripts' lines of the audit: "event subject target why".
    [[nodiscard]] std::vector<std::string> audited()
    {
        std::vector<std::string> told;
        for (const Json& line : operators.lines(1)) {
            const auto event = line.at("event").get<std::string>();
            if (event.starts_with("transcript.")) {
                told.push_back(event + " " + line.at("subject").get<std::string>() + " " + line.value("target", "")
                    + " " + line.at("why").get<std::string>());
            }
        }
        return told;
    }
};

using Said = std::vector<std::string>;
using Names = std::set<std::string>;

std::string encoded(const std::string& text)
{
    return QUrl::toPercentEncoding(QString::fromStdString(text)).toStdString();
}

} // namespace

/// From what is said through the relay to who reads it.
class TestTranscriptsBroker : public QObject {
    Q_OBJECT

private slots:
    void whatIsSaid_IsKeptInOrder_WhereTheProjectWantsIt()
    {
        World world(&choirKeeps);
        Talk talk(world, kChoir);
        QVERIFY(talk.session.areTranscriptsKept);
        talk.exchange("What time is it?", "It is noon.");
        talk.client->line().send(typed("And now?"));
        (void)talk.provider->next();
        talk.says(created("a2"));
        talk.says(reply("a2", "Still noon."));
        talk.end();
        QCOMPARE(world.said(talk.session.sessionId, 4),
            (Said{"user: What time is it?", "assistant: It is noon.", "user: And now?", "assistant: Still noon."}));
        const Json one = world.list().at(0);
        QCOMPARE(one.at("projectId").get<std::string>(), std::string("choir"));
        QCOMPARE(one.at("user").get<std::string>(), world.keyOf("u1"));
        QCOMPARE(one.at("lineCount").get<int>(), 4);
        // Once its end is written, too.
        QTRY_VERIFY(world.isWhole(talk.session.sessionId));
        QCOMPARE(one.at("keptUntil").get<std::string>(), std::string("2027-02-14T08:00:00Z"));
    }

    void nothingIsKept_WhereNobodyWantsIt_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::newRow("another project") << QByteArray(R"({"projectId":"band"})");
        QTest::newRow("no project") << QByteArray("{}");
    }
    void nothingIsKept_WhereNobodyWantsIt()
    {
        QFETCH(QByteArray, body);
        World world(&choirKeeps);
        Talk talk(world, body.toStdString());
        QVERIFY(!talk.session.areTranscriptsKept);
        talk.exchange("marker", "marker");
        talk.end();
        world.settle();
        for (const Json& one : world.list()) {
            QVERIFY(one.at("user") != Json(world.keyOf("u1")));
        }
        QCOMPARE(world.list("?text=marker").size(), std::size_t{0});
    }

    void directSessions_AreNeverKept_AndSayNothingOfIt()
    {
        World world(&choirKeeps);
        const auto minted =
            tokenOf(world.operators.as(world.operators.user(), "POST", "/api/voice-agent/token", kChoir));
        QCOMPARE(minted.transport, std::string("direct"));
        QVERIFY(!minted.areTranscriptsKept);
    }

    void aProjectThatOptsOut_HasNothingMoreKept_AlsoOfConversationsThatGoOn()
    {
        World world(&inTable);
        world.put("choir", {{"transcripts", true}});
        world.addMember("choir", "u1");
        Talk talk(world, kChoir);
        talk.exchange("before", "answered");
        QCOMPARE(world.said(talk.session.sessionId, 2), (Said{"user: before", "assistant: answered"}));
        world.put("choir", Json::object());
        world.operators.broker.clock.advance(core::Milliseconds(10'000));
        talk.exchange("marker", "marker");
        // Nor with a new stream, nor by a new session.
        talk.end();
        Talk later(world, kChoir);
        QVERIFY(!later.session.areTranscriptsKept);
        later.exchange("marker", "marker");
        later.end();
        // Who opts in again begins with the next session, which tells its client so.
        world.put("choir", {{"transcripts", true}});
        world.settle("u1");
        QCOMPARE(world.list("?text=marker").size(), std::size_t{0});
        QCOMPARE(world.said(talk.session.sessionId, 2), (Said{"user: before", "assistant: answered"}));
        QVERIFY(!world.isWhole(talk.session.sessionId));
    }

    void whatIsSaidWhileAProjectHasOptedOut_IsAGap_ThatTheTranscriptTells_data()
    {
        QTest::addColumn<bool>("hasStreamOfItsOwn");
        QTest::newRow("of a stream that goes on") << false;
        QTest::newRow("of a stream that began then") << true;
    }
    void whatIsSaidWhileAProjectHasOptedOut_IsAGap_ThatTheTranscriptTells()
    {
        QFETCH(bool, hasStreamOfItsOwn);
        World world(&inTable);
        world.put("choir", {{"transcripts", true}});
        world.addMember("choir", "u1");
        Talk talk(world, kChoir);
        const std::string id = talk.session.sessionId;
        talk.exchange("before", "answered");
        QCOMPARE(world.said(id, 2), (Said{"user: before", "assistant: answered"}));
        QVERIFY(world.isWhole(id));
        world.put("choir", Json::object());
        world.operators.broker.clock.advance(core::Milliseconds(10'000));
        if (hasStreamOfItsOwn) {
            talk.comeAgain();
        }
        talk.exchange("marker", "marker");
        QTRY_VERIFY(!world.isWhole(id));
        world.put("choir", {{"transcripts", true}});
        world.operators.broker.clock.advance(core::Milliseconds(10'000));
        if (hasStreamOfItsOwn) {
            talk.comeAgain();
        }
        talk.exchange("after", "answered again");
        QCOMPARE(world.said(id, 4),
            (Said{"user: before", "assistant: answered", "user: after", "assistant: answered again"}));
        talk.end();
        world.settle("u1");
        QVERIFY(!world.isWhole(id));
    }

    void aSessionThatWasNotTold_IsNotKept_ThoughItsProjectHasOptedIn()
    {
        World world(&inTable);
        world.put("choir", Json::object());
        world.addMember("choir", "u1");
        const auto session = world.session(kChoir);
        QVERIFY(!session.areTranscriptsKept);
        world.put("choir", {{"transcripts", true}});
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        provider->send(reply("a1", "marker"));
        QCOMPARE(client->line().next(), reply("a1", "marker"));
        client->line().close(1000, "");
        (void)provider->end();
        world.settle("u1");
        QCOMPARE(world.list("?text=marker").size(), std::size_t{0});
    }

    void aConnectionThatIsLost_KeepsWhatWasHalfSaid_AndTheNextOneComesAfter()
    {
        World world(&choirKeeps);
        Talk talk(world, kChoir);
        talk.exchange("one", "two");
        const std::string half = Json(
            {{"type", "response.output_audio_transcript.delta"}, {"event_id", "e"}, {"response_id", "r9"},
                {"item_id", "a9"}, {"output_index", 0}, {"content_index", 0},
                {"delta", "thr"}}).dump();
        talk.says(half);
        talk.client->drop();
        const auto again = world.open(talk.session);
        const auto provider = world.upstream.next();
        // What was said before, as a client tells it again.
        again->line().send(typed("one"));
        (void)provider->next();
        for (const std::string& text : {created("b1"), reply("b1", "four")}) {
            provider->send(text);
            QCOMPARE(again->line().next(), text);
        }
        QCOMPARE(world.said(talk.session.sessionId, 4),
            (Said{"user: one", "assistant: two", "assistant: thr (unfinished)", "assistant: four"}));
        // The former's end is written, and the session goes on.
        QTRY_VERIFY(world.isWhole(talk.session.sessionId));
    }

    void gemini_IsKept_ThoughItsFramesAreBinary()
    {
        World world([](broker::Config& config) {
            choirKeeps(config);
            config.geminiKey = core::Secret("gemini-key-marker");
        });
        Talk talk(world, R"({"projectId":"choir","provider":"gemini"})");
        talk.client->line().send(R"({"setup":{"model":"models/gemini-3.8-live"}})");
        (void)talk.provider->next();
        for (const char* const text :
            {R"({"setupComplete":{}})", R"({"serverContent":{"outputTranscription":{"text":"No"}}})",
                R"({"serverContent":{"inputTranscription":{"text":"What?"}}})",
                R"({"serverContent":{"outputTranscription":{"text":"on."},"turnComplete":true}})"}) {
            talk.provider->sendBinary(text);
            QCOMPARE(talk.client->line().next(), std::string(text));
        }
        QCOMPARE(world.said(talk.session.sessionId, 2), (Said{"user: What?", "assistant: Noon."}));
    }

    void aClientWithoutWebSockets_IsKeptAsWell()
    {
        World world(&choirKeeps);
        const auto session = world.session(kChoir);
        const std::string token(session.token.reveal());
        QCOMPARE(
            world.operators.as(token, "POST", "/api/voice/stream", "{\"events\":[" + typed("posted") + "]}").status,
            202);
        const auto provider = world.upstream.next();
        (void)provider->next();
        provider->send(created("a1"));
        provider->send(reply("a1", "heard"));
        QCOMPARE(world.said(session.sessionId, 2), (Said{"user: posted", "assistant: heard"}));
    }

    void whoReadsWhat_IsDecidedByRole()
    {
        World world(&inTable);
        for (const char* const project : {"choir", "band"}) {
            world.put(project, {{"transcripts", true}});
        }
        world.addMember("choir", "alice");
        world.addMember("choir", "bob");
        world.addMember("choir", "carol", "admin");
        world.addMember("band", "alice");
        world.addMember("band", "erin", "admin");
        std::map<std::string, std::string> sessions;
        for (const auto& [name, body, user] :
            {std::tuple("alice in the choir", kChoir, "alice"), std::tuple("bob in the choir", kChoir, "bob"),
                std::tuple("alice in the band", R"({"projectId":"band"})", "alice")}) {
            Talk talk(world, body, user);
            talk.exchange("word", "answer");
            talk.end();
            sessions[name] = talk.session.sessionId;
            QCOMPARE(world.said(talk.session.sessionId, 2).size(), std::size_t{2});
        }
        const auto seen = [&](const std::string& token) {
            const Json all = Json::parse(world.ask(token, "?text=word").body).at("transcripts");
            Names names;
            for (const auto& [name, id] : sessions) {
                const bool isListed = std::any_of(
                    all.begin(), all.end(), [id = id](const Json& one) { return one.at("sessionId") == Json(id); });
                if (isListed) {
                    names.insert(name);
                }
                const unsigned status = isListed ? 200 : 404;
                if (world.ask(token, "/" + id).status != status
                    || world.ask(token, "/" + id + "?format=text").status != status) {
                    qFatal("a list and a transcript differ");
                }
            }
            return names;
        };
        const auto user = [&](const char* name) { return world.operators.user(name); };
        QCOMPARE(seen(user("alice")), (Names{"alice in the choir", "alice in the band"}));
        QCOMPARE(seen(user("bob")), (Names{"bob in the choir"}));
        QCOMPARE(seen(user("carol")), (Names{"alice in the choir", "bob in the choir"}));
        QCOMPARE(seen(user("erin")), (Names{"alice in the band"}));
        QCOMPARE(seen(user("mallory")), Names());
        QCOMPARE(seen(world.operators.admin()).size(), std::size_t{3});
        // Others' at all: nobody's business.
        const std::string ofAlice = "?user=" + encoded(world.keyOf("alice"));
        QCOMPARE(codeOf(world.ask(user("bob"), ofAlice)), std::string("insufficient_scope"));
        QCOMPARE(codeOf(world.ask(user("bob"), ofAlice, "DELETE")), std::string("insufficient_scope"));
        QCOMPARE(world.ask(user("carol"), ofAlice).status, 200);
        // The audit says as whom they read it.
        QVERIFY(world.audited().back().ends_with(" project_admin"));
        for (const auto& [who, role] : {std::pair(user("carol"), "project_admin"), std::pair(user("alice"), "own"),
                 std::pair(world.operators.admin(), "operator")}) {
            QCOMPARE(world.ask(who, "/" + sessions["alice in the choir"]).status, 200);
            QVERIFY(world.audited().back().ends_with(std::string(" ") + role));
            QCOMPARE(world.ask(who).status, 200);
            QVERIFY(world.audited().back().ends_with(std::string(" ") + role));
        }
        // An admin of another project is nobody in this one, and the audit does not say that they did anything.
        const std::size_t before = world.audited().size();
        for (const char* const method : {"GET", "DELETE"}) {
            QCOMPARE(
                codeOf(world.ask(user("erin"), ofAlice + "&project=choir", method)), std::string("insufficient_scope"));
            QCOMPARE(codeOf(world.ask(user("erin"), ofAlice + "&project=nowhere", method)),
                std::string("insufficient_scope"));
        }
        QCOMPARE(world.ask(user("alice"), "?user=me&project=choir").status, 200);
        QCOMPARE(world.ask(user("erin"), ofAlice + "&project=band").status, 200);
        const auto audited = world.audited();
        QCOMPARE(audited.size(), before + 2);
        QVERIFY(audited.back().starts_with("transcript.read erin "));
        QCOMPARE(world.ask(world.operators.login.token("nobody", "voice:mint"), "").status, 403);
        QCOMPARE(world.operators.broker.send(world.operators.broker.request("GET", kPath)).status, 401);
        // An admin of the choir deletes what alice said there, and nothing else.
        QCOMPARE(world.ask(user("carol"), "/" + sessions["alice in the band"], "DELETE").status, 404);
        QCOMPARE(Json::parse(world.ask(user("carol"), ofAlice, "DELETE").body).at("removed").get<int>(), 1);
        QCOMPARE(seen(user("alice")), (Names{"alice in the band"}));
        // One's own, by oneself.
        QCOMPARE(Json::parse(world.ask(user("bob"), "?user=me", "DELETE").body).at("removed").get<int>(), 1);
        QCOMPARE(world.ask(user("alice"), "/" + sessions["alice in the band"], "DELETE").status, 200);
        QCOMPARE(world.list().size(), std::size_t{0});
        // Who is no admin any more is none at once.
        world.addMember("choir", "carol", "member");
        QCOMPARE(codeOf(world.ask(user("carol"), ofAlice)), std::string("insufficient_scope"));
    }

    void everyReading_IsInTheAudit_AndNothingThatWasSaid()
    {
        World world(&choirKeeps);
        Talk talk(world, kChoir);
        talk.exchange("marker-question", "marker-answer");
        talk.end();
        const std::string id = talk.session.sessionId;
        QCOMPARE(world.said(id, 2).size(), std::size_t{2});
        const std::string user = world.operators.user();
        const std::size_t before = world.audited().size();
        QCOMPARE(world.ask(user, "?text=marker-question&project=choir").status, 200);
        QCOMPARE(world.ask(user, "/" + id).status, 200);
        QCOMPARE(world.ask(user, "/" + id + "?format=csv").status, 200);
        QCOMPARE(world.ask(user, "?format=text&user=me").status, 200);
        // What was asked for, and how many there were.
        QCOMPARE(world.ask(user, "?format=json&from=2027-01-15&to=2027-01-16T00:00:00Z").status, 200);
        QCOMPARE(world.ask(user, "?format=csv&text=marker-question&before=" + id).status, 200);
        QCOMPARE(world.ask(user, "?before=marker-token").status, 200);
        QCOMPARE(world.ask(user, "/" + id, "DELETE").status, 200);
        QCOMPARE(world.ask(user, "?user=me", "DELETE").status, 200);
        auto told = world.audited();
        told.erase(told.begin(), told.begin() + static_cast<std::ptrdiff_t>(before));
        const std::string key = world.keyOf("u1");
        QCOMPARE(told,
            (Said{"transcript.read u1 search project choir transcripts 1 own", "transcript.read u1 " + id + " own",
                "transcript.export u1 " + id + " own", "transcript.export u1 list user " + key + " transcripts 1 own",
                "transcript.export u1 list from 2027-01-15T00:00:00Z to 2027-01-16T00:00:00Z transcripts 1 own",
                "transcript.export u1 search before " + id + " transcripts 0 own",
                "transcript.read u1 list transcripts 0 own", "transcript.remove u1 " + id + " own",
                "transcript.remove u1 user " + key + " own"}));
        for (const Json& line : world.operators.allLines(1)) {
            QVERIFY(line.dump().find("marker") == std::string::npos);
        }
        QVERIFY(world.operators.broker.log.text().find("marker") == std::string::npos);
    }

    void search_FindsWordsAsFormsWriteThem()
    {
        World world(&choirKeeps);
        Talk talk(world, kChoir);
        talk.exchange("What time is it?", "1 + 1 is 2.");
        talk.end();
        QCOMPARE(world.said(talk.session.sessionId, 2), (Said{"user: What time is it?", "assistant: 1 + 1 is 2."}));
        QCOMPARE(world.list("?text=time+is+it").size(), std::size_t{1});
        QCOMPARE(world.list("?text=time%20is%20it").size(), std::size_t{1});
        QCOMPARE(world.list("?text=1+%2B+1").size(), std::size_t{1});
        QCOMPARE(world.list("?text=time%2Bis").size(), std::size_t{0});
    }

    void whatIsAsked_IsHeldAgainstWhatThereIs_data()
    {
        QTest::addColumn<QByteArray>("method");
        QTest::addColumn<QByteArray>("rest");
        QTest::addColumn<int>("status");
        const auto row = [](const char* method, const char* rest, int status) {
            QTest::newRow((std::string(method) + " " + rest).c_str())
                << QByteArray(method) << QByteArray(rest) << status;
        };
        row("GET", "?limit=0", 400);
        row("GET", "?limit=101", 400);
        row("GET", "?limit=100", 200);
        row("GET", "?from=yesterday", 400);
        row("GET", "?from=2027-01-15&to=2027-01-16T00:00:00Z", 200);
        row("GET", "?format=html", 400);
        row("GET", "?texts=x", 400);
        row("GET", "?text=x&text=y", 400);
        row("GET", "?text=%ff", 400);
        row("GET", "?project=%20", 400);
        row("GET", "?before=%FF", 400);
        row("GET", "?before=%00", 400);
        row("GET", "?text=%FF", 400);
        row("GET", "?user=%C3", 400);
        row("DELETE", "?user=%FF", 400);
        row("GET", "/voice_1_nothing", 404);
        row("GET", "/voice_1_nothing?text=x", 400);
        row("DELETE", "/voice_1_nothing", 404);
        row("DELETE", "", 400);
        row("DELETE", "?project=choir", 400);
        row("DELETE", "?user=me&text=x", 400);
        row("POST", "", 405);
    }
    void whatIsAsked_IsHeldAgainstWhatThereIs()
    {
        QFETCH(QByteArray, method);
        QFETCH(QByteArray, rest);
        QFETCH(int, status);
        World world(&choirKeeps);
        const auto answer = world.ask(world.operators.admin(), rest.toStdString(), method.constData());
        QCOMPARE(static_cast<int>(answer.status), status);
        if (status != 200) {
            QCOMPARE(QString::fromStdString(header(answer, "Content-Type")),
                QStringLiteral("application/problem+json; charset=utf-8"));
        }
    }

    void files_AreSaved_PageByPage()
    {
        World world(&choirKeeps);
        for (int i = 0; i < 3; ++i) {
            world.operators.broker.clock.advance(core::Milliseconds(1'000));
            Talk talk(world, kChoir);
            talk.exchange("Grüße, \"" + std::to_string(i) + "\"", "=1");
            talk.end();
            QCOMPARE(world.said(talk.session.sessionId, 2).size(), std::size_t{2});
        }
        const auto first = world.ask(world.operators.admin(), "?format=csv&text=GR%C3%9C%C3%9FE&limit=2");
        QCOMPARE(header(first, "Content-Type"), std::string("text/csv; charset=utf-8; header=present"));
        QVERIFY(header(first, "Content-Disposition").find("transcripts.csv") != std::string::npos);
        QCOMPARE(std::count(first.body.begin(), first.body.end(), '\r'), 5);
        QVERIFY(first.body.find("\"Grüße, \"\"2\"\"\"") != std::string::npos);
        QVERIFY(first.body.find(",'=1\r\n") != std::string::npos);
        const std::string link = header(first, "Link");
        QVERIFY2(
            link.starts_with("</api/voice/transcripts?format=csv&limit=2&text=") && link.ends_with(">; rel=\"next\""),
            link.c_str());
        const auto second = world.operators.as(world.operators.admin(), "GET", link.substr(1, link.find('>') - 1));
        QCOMPARE(second.status, 200);
        QVERIFY(second.body.find("\"Grüße, \"\"0\"\"\"") != std::string::npos);
        QVERIFY(header(second, "Link").empty());
        const auto text = world.ask(world.operators.admin(), "?format=text&limit=1");
        QVERIFY(text.body.find("Z user: Grüße, \"2\"\n") != std::string::npos);
        const Json json = Json::parse(world.ask(world.operators.admin(), "?format=json").body);
        QCOMPARE(json.at("transcripts").size(), std::size_t{3});
        QCOMPARE(json.at("transcripts").at(0).at("lines").at(1).at("text").get<std::string>(), std::string("=1"));
    }

    void whatWasSaid_GoesWithItsTime_ByThePolicyOfItsProject()
    {
        // An admin's token does not live as long.
        const broker::auth::NewServiceKey books = broker::auth::makeServiceKey("books");
        World world([&](broker::Config& config) {
            choirKeeps(config);
            config.policies.back().policy.transcriptDays = 2;
            keeps(config, "band");
            config.transcriptsKept = std::chrono::days(30);
            config.serviceAccounts.push_back({"books", books.hash, {"voice:admin"}});
        });
        for (const char* const project : {kChoir, kBand}) {
            Talk talk(world, project);
            talk.exchange("one", "two");
            talk.end();
            QCOMPARE(world.said(talk.session.sessionId, 2).size(), std::size_t{2});
        }
        const auto untilWhen = [&](const char* project) {
            return world.list(std::string("?project=") + project).at(0).at("keptUntil").get<std::string>();
        };
        QCOMPARE(untilWhen("choir"), std::string("2027-01-17T08:00:00Z"));
        QCOMPARE(untilWhen("band"), std::string("2027-02-14T08:00:00Z"));
        const auto kept = [&] {
            Names projects;
            const Json body = Json::parse(world.ask(std::string(books.key.reveal())).body);
            for (const Json& one : body.at("transcripts")) {
                projects.insert(one.at("projectId").get<std::string>());
            }
            return projects;
        };
        QCOMPARE(kept(), (Names{"band", "choir"}));
        world.operators.broker.clock.advance(std::chrono::hours(48));
        QVERIFY(QTest::qWaitFor([&] { return kept() == Names{"band"}; }));
        world.operators.broker.clock.advance(std::chrono::hours(24 * 28));
        QVERIFY(QTest::qWaitFor([&] { return kept().empty(); }));
    }

    void projectThatOptsOut_HasNothingMoreKept_TenSecondsLater()
    {
        World world([](broker::Config& config) {
            choirKeeps(config);
            keeps(config, "band");
        });
        Talk talk(world, kChoir);
        talk.exchange("before", "answered");
        QCOMPARE(world.said(talk.session.sessionId, 2).size(), std::size_t{2});
        QCOMPARE(world.operators.broker.reload([](broker::Config& config) {
            config.policies.clear();
            keeps(config, "band");
        }),
            std::string());
        // Until then the answer of before may hold.
        world.operators.broker.clock.advance(core::Milliseconds(10'000));
        talk.exchange("marker", "marker");
        talk.end();
        // Waits behind it: once this is written, it was decided on.
        Talk other(world, kBand, "u2");
        other.exchange("settled?", "settled");
        QCOMPARE(world.said(other.session.sessionId, 2).size(), std::size_t{2});
        other.end();
        QCOMPARE(world.list("?text=marker").size(), std::size_t{0});
        QCOMPARE(world.said(talk.session.sessionId, 2), (Said{"user: before", "assistant: answered"}));
    }

    void whatWaitsWhenTheBrokerGoes_IsThereForTheNextOne()
    {
        const QTemporaryDir folder;
        const auto change = [&](broker::Config& config) {
            choirKeeps(config);
            config.databaseUrl = core::Secret("sqlite://" + folder.filePath("broker.db").toStdString());
        };
        std::string id;
        {
            World world(change);
            Talk talk(world, kChoir);
            talk.exchange("one", "two");
            id = talk.session.sessionId;
            world.operators.broker.drain();
        }
        World next(change);
        QCOMPARE(next.said(id, 2), (Said{"user: one", "assistant: two"}));
    }
};

QTEST_GUILESS_MAIN(TestTranscriptsBroker)
#include "test_transcripts_broker.moc"
