#include "tests/broker/broker_process.h"
#include "tests/broker/relay_harness.h"

#include <QElapsedTimer>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

constexpr int kTokensOfATurn = 7;
/// Where the signal strikes: so many points, so many nanoseconds apart.
constexpr qint64 kPoints = 10;
constexpr qint64 kApart = 400'000;

std::string done(int number)
{
    return Json(
        {{"type", "response.done"}, {"event_id", "e"},
            {"response",
                {{"id", "r" + std::to_string(number)}, {"object", "realtime.response"}, {"status", "completed"},
                    {"output", Json::array()},
                    {"usage",
                        {{"total_tokens", kTokensOfATurn}, {"input_tokens", 0}, {"output_tokens", kTokensOfATurn},
                            {"output_token_details", {{"text_tokens", 0}, {"audio_tokens", kTokensOfATurn}}}}}}}})
        .dump();
}

std::string reply(const std::string& id, const std::string& text)
{
    return Json({{"type", "response.output_audio_transcript.done"}, {"event_id", "e"}, {"response_id", "r" + id},
                    {"item_id", id}, {"output_index", 0}, {"content_index", 0}, {"transcript", text}})
        .dump();
}

net::WebSocketRequest streamOf(const BrokerProcess& broker, const std::string& token)
{
    net::WebSocketRequest request;
    request.url = "ws://127.0.0.1:" + std::to_string(broker.port()) + "/api/voice/stream";
    request.headers.add("Authorization", "Bearer " + token);
    return request;
}

Exchange ask(const BrokerProcess& broker, const std::string& method, const std::string& path, const std::string& body)
{
    return broker.send(method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(broker.port())
        + "\r\nAuthorization: Bearer " + broker.serviceKey() + "\r\nContent-Type: application/json\r\nContent-Length: "
        + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body);
}

} // namespace

class TestUsageKill : public QObject {
    Q_OBJECT

private slots:
    /// The provider says one turn after another, the next one when the client has heard the last, until the broker is killed somewhere in
    /// between. What a client has heard of is in the ledger, once; what the provider had billed and nobody heard of is one turn at most.
    void brokerThatIsKilledInTheMiddle_HasAllThatAClientHasHeardOf()
    {
        const int kills = qEnvironmentVariableIsSet("VV_SOAK") ? 100 : 10;
        ScriptedUpstream upstream;
        BrokerProcess broker;
        broker.setProvider(upstream.url());
        int sent = 0;
        int heard = 0;
        for (int run = 0; run < kills; ++run) {
            QVERIFY(broker.start());
            const auto session = ask(broker, "POST", "/api/voice/session", "{}");
            QVERIFY2(session.status == 200, session.body.c_str());
            net::WebSocketRequest request;
            request.url = "ws://127.0.0.1:" + std::to_string(broker.port()) + "/api/voice/stream";
            request.headers.add("Authorization", "Bearer " + Json::parse(session.body)["token"].get<std::string>());
            StreamClient client(std::move(request));
            QCOMPARE(client.status(), 101);
            const auto provider = upstream.next();
            const int before = run % 5;
            for (int i = 0; i < before; ++i) {
                provider->send(done(i));
                QCOMPARE(client.line().next(), done(i));
            }
            // The last one meets the signal, each time at another point of its way.
            provider->send(done(before));
            QElapsedTimer since;
            since.start();
            while (since.nsecsElapsed() < run % kPoints * kApart) {
            }
            broker.kill();
            (void)client.line().end();
            const int last = client.line().pending() > 0 ? 1 : 0;
            sent += before + 1;
            heard += before + last;
        }
        QVERIFY(broker.start());
        const auto usage = ask(broker, "GET", "/api/voice/usage", "");
        QVERIFY2(usage.status == 200, usage.body.c_str());
        const Json report = Json::parse(usage.body);
        const int turns = report["turns"].get<int>();
        QVERIFY2(heard <= turns && turns <= sent, qPrintable(QString("%1 %2 %3").arg(heard).arg(turns).arg(sent)));
        // Tokens and turns never come apart.
        QCOMPARE(report["tokens"]["audioOut"].get<int>(), turns * kTokensOfATurn);
        QCOMPARE(report["totalSessions"].get<int>(), kills);
        qInfo("%d kills: the provider billed %d turns, clients heard of %d, the ledger has %d", kills, sent, heard,
            turns);
    }

    /// A restart loses nothing: neither its time nor its sound, nor why it ended.
    void brokerThatGoesDown_TellsOfItsStreams()
    {
        ScriptedUpstream upstream;
        BrokerProcess broker;
        broker.setProvider(upstream.url());
        QVERIFY(broker.start());
        const auto session = ask(broker, "POST", "/api/voice/session", "{}");
        net::WebSocketRequest request;
        request.url = "ws://127.0.0.1:" + std::to_string(broker.port()) + "/api/voice/stream";
        request.headers.add("Authorization", "Bearer " + Json::parse(session.body)["token"].get<std::string>());
        StreamClient client(std::move(request));
        const auto provider = upstream.next();
        // A second, at 24 kHz.
        client.line().send(Json({{"type", "input_audio_buffer.append"}, {"audio", std::string(64'000, 'A')}}).dump());
        (void)provider->next();
        QCOMPARE(broker.terminate(), 0);
        QVERIFY(broker.start());
        const auto usage = ask(broker, "GET", "/api/voice/usage", "");
        QCOMPARE(Json::parse(usage.body)["audioMinutesIn"].get<double>(), 1.0 / 60);
    }

    void transcript_SaysThatItIsNotWhole_WhereItsBrokerWasKilled_data()
    {
        QTest::addColumn<bool>("isKilled");
        QTest::newRow("killed") << true;
        QTest::newRow("told to go") << false;
    }
    void transcript_SaysThatItIsNotWhole_WhereItsBrokerWasKilled()
    {
        QFETCH(bool, isKilled);
        const std::string limits = "others_per_minute = 100000\n";
        ScriptedUpstream upstream;
        BrokerProcess broker;
        broker.setProvider(upstream.url());
        broker.setTables("[[policies]]\nproject = \"choir\"\ntranscripts = true\n");
        QVERIFY(broker.start(limits));
        const auto session = ask(broker, "POST", "/api/voice/session", R"({"projectId":"choir"})");
        QVERIFY2(session.status == 200, session.body.c_str());
        const Json minted = Json::parse(session.body);
        QVERIFY(minted.value("transcriptsKept", false));
        const auto token = minted.at("token").get<std::string>();
        const std::string path = "/api/voice/transcripts/" + minted.at("sessionId").get<std::string>();
        const auto read = [&] {
            const auto answer = ask(broker, "GET", path, "");
            return answer.status == 200 ? Json::parse(answer.body) : Json{{"lines", Json::array()}, {"isWhole", false}};
        };
        const auto lastIs = [&](const std::string& text) {
            const Json lines = read().at("lines");
            return !lines.empty() && lines.back().at("text") == Json(text);
        };
        {
            StreamClient client(streamOf(broker, token));
            const auto provider = upstream.next();
            provider->send(reply("a1", "first"));
            QTRY_VERIFY(lastIs("first"));
            QVERIFY(read().at("isWhole").get<bool>());
            (void)client.line().next();
            // Its client has heard it, and the database not.
            provider->send(reply("a2", "second"));
            (void)client.line().next();
            if (isKilled) {
                broker.kill();
            } else {
                QCOMPARE(broker.terminate(), 0);
            }
        }
        QVERIFY(broker.start(limits));
        StreamClient client(streamOf(broker, token));
        const auto provider = upstream.next();
        provider->send(reply("b1", "third"));
        QTRY_VERIFY(lastIs("third"));
        QCOMPARE(read().at("isWhole").get<bool>(), !isKilled);
        QVERIFY(isKilled || read().at("lines").size() == 3);
    }
};

QTEST_GUILESS_MAIN(TestUsageKill)
#include "test_usage_kill.moc"
