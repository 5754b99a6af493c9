#include "core/protocol/broker/messages.h"

#include <QTest>

using namespace vivavoce::core;

namespace {

/// The answer's JSON with one field replaced, or left out where `value` is empty.
std::string responseWith(const QByteArray& field, const QByteArray& value)
{
    const std::vector<std::pair<QByteArray, QByteArray>> good{{"token", "\"ek_marker\""}, {"tokenType", "\"Bearer\""},
        {"sessionId", "\"voice_1_x\""}, {"expiresIn", "60"}, {"expiresAt", "\"2027-01-15T08:01:00Z\""},
        {"refreshAfter", "\"2027-01-15T08:00:30Z\""}, {"provider", "\"local\""}, {"model", "\"m\""},
        {"connect",
            R"({"url":"ws://x","auth":"bearer","dialect":"openai-ga","audio":{"encoding":"pcm16","rate":24000}})"},
        {"limits", "{}"}};
    QByteArray text;
    for (const auto& [name, content] : good) {
        const QByteArray& chosen = name == field ? value : content;
        if (!chosen.isEmpty()) {
            text += (text.isEmpty() ? "" : ",") + QByteArray("\"") + name + "\":" + chosen;
        }
    }
    return ("{" + text + "}").toStdString();
}

QByteArray connectWith(const char* url, const char* auth, const char* rate)
{
    return QByteArray("{\"url\":\"") + url + "\",\"auth\":\"" + auth
        + "\",\"dialect\":\"openai-ga\",\"audio\":{\"encoding\":\"pcm16\",\"rate\":" + rate + "}}";
}

} // namespace

class TestBrokerMessages : public QObject {
    Q_OBJECT

private slots:
    void tokenRequest_AllFields_SurviveTheWire()
    {
        const broker::TokenRequest request{
            "choir", "instance", "local", "gpt-realtime", "alloy", "two\nlines", "voice_1_x"};
        const auto back = broker::decodeTokenRequest(broker::encode(request));
        QVERIFY(back.has_value());
        QCOMPARE(back->projectId, request.projectId);
        QCOMPARE(back->clientInstance, request.clientInstance);
        QCOMPARE(back->provider, request.provider);
        QCOMPARE(back->model, request.model);
        QCOMPARE(back->voice, request.voice);
        QCOMPARE(back->instructions, request.instructions);
        QCOMPARE(back->resumeSessionId, request.resumeSessionId);
    }

    void tokenRequest_NoFields_IsAnEmptyObject()
    {
        QCOMPARE(broker::encode(broker::TokenRequest{}), std::string("{}"));
        QVERIFY(broker::decodeTokenRequest("{}").has_value());
    }

    void refreshRequest_Instance_SurvivesTheWire()
    {
        const auto back = broker::decodeRefreshRequest(broker::encode(broker::RefreshRequest{"abc"}));
        QVERIFY(back.has_value());
        QCOMPARE(back->clientInstance, std::optional<std::string>("abc"));
    }

    void tokenRequest_Hostile_IsRefusedByField_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("named");
        QTest::newRow("empty") << QByteArray() << QByteArray("the body");
        QTest::newRow("a list") << QByteArray("[]") << QByteArray("the body");
        QTest::newRow("null") << QByteArray("null") << QByteArray("the body");
        QTest::newRow("NUL behind") << QByteArray("{}\0", 3) << QByteArray("the body");
        QTest::newRow("duplicate") << QByteArray(R"({"model":"a","model":"b"})") << QByteArray("the body");
        QTest::newRow("too deep") << QByteArray(R"({"model":)") + QByteArray(100, '[') + QByteArray(100, ']') + "}"
                                  << QByteArray("the body");
        QTest::newRow("unknown") << QByteArray(R"({"modle":"a"})") << QByteArray("modle");
        QTest::newRow("unknown, wild name") << QByteArray(R"({"a\nb":"a"})") << QByteArray("a field");
        QTest::newRow("number") << QByteArray(R"({"model":1})") << QByteArray("model");
        QTest::newRow("object") << QByteArray(R"({"voice":{}})") << QByteArray("voice");
        QTest::newRow("too long") << QByteArray(R"({"model":")") + QByteArray(129, 'x') + "\"}" << QByteArray("model");
        QTest::newRow("control") << QByteArray(R"({"voice":"a\u0007"})") << QByteArray("voice");
        QTest::newRow("line in a name") << QByteArray(R"({"model":"a\nb"})") << QByteArray("model");
        QTest::newRow("NUL in instructions")
            << QByteArray(R"({"instructions":"a\u0000"})") << QByteArray("instructions");
        QTest::newRow("instructions too long") << QByteArray(R"({"instructions":")") + QByteArray(16 * 1024 + 1, 'x')
                + "\"}" << QByteArray("instructions");
    }
    void tokenRequest_Hostile_IsRefusedByField()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, named);
        const auto result = broker::decodeTokenRequest(text.toStdString());
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().code, ErrorCode::BrokerMalformed);
        QVERIFY2(QByteArray::fromStdString(result.error().detail).startsWith(named), result.error().detail.c_str());
        QVERIFY(result.error().detail.find('\n') == std::string::npos);
    }

    void tokenResponse_AllFields_SurviveTheWire()
    {
        broker::TokenResponse response;
        response.token = Secret("ek_marker");
        response.sessionId = "voice_1_x";
        response.expiresIn = 60;
        response.expiresAt = WallTime(std::chrono::seconds(1'800'000'060));
        response.refreshAfter = WallTime(std::chrono::seconds(1'800'000'030));
        response.provider = "local";
        response.model = "m";
        response.connect = {"ws://127.0.0.1:1/v1/realtime?model=m", "subprotocol", "openai-beta",
            {"pcm16", {SampleRate(16'000), SampleRate(48'000)}}};
        response.limits.maxSessionSeconds = 900;
        const auto back = broker::decodeTokenResponse(broker::encode(response));
        QVERIFY(back.has_value());
        QVERIFY(back->token.equals("ek_marker"));
        QCOMPARE(back->tokenType, std::string("Bearer"));
        QCOMPARE(back->sessionId, response.sessionId);
        QCOMPARE(back->expiresIn, response.expiresIn);
        QVERIFY(back->expiresAt == response.expiresAt && back->refreshAfter == response.refreshAfter);
        QCOMPARE(back->provider, response.provider);
        QCOMPARE(back->model, response.model);
        QCOMPARE(back->connect.url, response.connect.url);
        QCOMPARE(back->connect.auth, response.connect.auth);
        QCOMPARE(back->connect.dialect, response.connect.dialect);
        QCOMPARE(back->connect.audio.encoding, response.connect.audio.encoding);
        QCOMPARE(back->connect.audio.rates, response.connect.audio.rates);
        QCOMPARE(back->limits.maxSessionSeconds, response.limits.maxSessionSeconds);
    }

    void tokenResponse_FieldMissingOrWrong_IsNamedWithoutItsValue_data()
    {
        QTest::addColumn<QByteArray>("field");
        QTest::addColumn<QByteArray>("value");
        for (const char* name : {"token", "tokenType", "sessionId", "expiresIn", "expiresAt", "refreshAfter",
                 "provider", "model", "connect"}) {
            QTest::addRow("%s missing", name) << QByteArray(name) << QByteArray();
            QTest::addRow("%s wrong", name) << QByteArray(name) << QByteArray("[\"secret-marker\"]");
        }
        QTest::newRow("token empty") << QByteArray("token") << QByteArray("\"\"");
        QTest::newRow("expiresIn negative") << QByteArray("expiresIn") << QByteArray("-1");
        QTest::newRow("expiresIn fraction") << QByteArray("expiresIn") << QByteArray("1.5");
        QTest::newRow("expiresAt not a time") << QByteArray("expiresAt") << QByteArray("\"secret-marker\"");
        QTest::newRow("connect empty") << QByteArray("connect") << QByteArray("{}");
        QTest::newRow("token with a header in it") << QByteArray("token") << QByteArray("\"a\\r\\nX-Evil: marker\"");
        QTest::newRow("token with a space") << QByteArray("token") << QByteArray("\"a marker\"");
        QTest::newRow("token beyond ASCII") << QByteArray("token") << QByteArray("\"a\xC3\xA9marker\"");
        QTest::newRow("url with a line") << QByteArray("connect") << connectWith("ws://x/\\nmarker", "bearer", "24000");
        QTest::newRow("auth with a line") << QByteArray("connect") << connectWith("ws://x", "bearer\\nmarker", "24000");
        for (const char* rate : {"0", "-24000", "192001", "9223372036854775807"}) {
            QTest::addRow("rate %s", rate) << QByteArray("connect") << connectWith("ws://x", "bearer", rate);
        }
    }
    void tokenResponse_FieldMissingOrWrong_IsNamedWithoutItsValue()
    {
        QFETCH(QByteArray, field);
        QFETCH(QByteArray, value);
        const auto result = broker::decodeTokenResponse(responseWith(field, value));
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().code, ErrorCode::BrokerMalformed);
        const auto detail = QByteArray::fromStdString(result.error().detail);
        QVERIFY2(detail.startsWith(field), detail.constData());
        QVERIFY(!detail.contains("marker"));
    }

    void tokenResponse_UnknownFields_AreIgnored()
    {
        std::string text = responseWith({}, {});
        text.insert(1, "\"later\":{},");
        QVERIFY(broker::decodeTokenResponse(text).has_value());
    }

    void problem_AllFields_SurviveTheWire()
    {
        const auto back =
            broker::decodeProblem(broker::encode(broker::Problem{"urn:x", "Title", 429, "why", "rate_limited", 7}));
        QVERIFY(back.has_value());
        QCOMPARE(back->type, std::string("urn:x"));
        QCOMPARE(back->title, std::string("Title"));
        QCOMPARE(back->status, 429);
        QCOMPARE(back->detail, std::string("why"));
        QCOMPARE(back->code, std::string("rate_limited"));
        QCOMPARE(back->retryAfter, std::optional<std::int64_t>(7));
    }

    void problem_WithoutCode_IsMalformed()
    {
        const auto result = broker::decodeProblem(R"({"title":"x"})");
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().detail, std::string("code is missing"));
    }
};

QTEST_GUILESS_MAIN(TestBrokerMessages)
#include "test_broker_messages.moc"
