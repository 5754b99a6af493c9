#include "core/protocol/openai/client_secret.h"

#include <QtTest>

using namespace vivavoce::core;
using namespace vivavoce::core::openai;

class TestClientSecret : public QObject {
    Q_OBJECT

private slots:
    void request_DecodedAndEncoded_IsTheSame();
    void request_Empty_RoundTrips();
    void request_WithAFault_NamesItsPath_data();
    void request_WithAFault_NamesItsPath();
    void answer_DecodedAndEncoded_IsTheSame();
    void answer_OfACompatibleServer_IsRead();
    void answer_WithAFault_IsRefusedWithoutTheSecret_data();
    void answer_WithAFault_IsRefusedWithoutTheSecret();
};

void TestClientSecret::request_DecodedAndEncoded_IsTheSame()
{
    const std::string text = R"({"expires_after":{"anchor":"created_at","seconds":60},)"
                             R"("session":{"audio":{"output":{"voice":"marin"}},"model":"voice-1","type":"realtime"}})";
    const auto request = decodeClientSecretRequest(text);
    QVERIFY(request.has_value());
    QCOMPARE(request->expiresAfterSeconds.value_or(0), std::int64_t{60});
    QCOMPARE(request->session->model.value_or(""), std::string("voice-1"));
    QCOMPARE(encode(*request), text);
}

void TestClientSecret::request_Empty_RoundTrips()
{
    const auto request = decodeClientSecretRequest("{}");
    QVERIFY(request.has_value());
    QVERIFY(!request->session.has_value());
    QCOMPARE(encode(*request), std::string("{}"));
}

void TestClientSecret::request_WithAFault_NamesItsPath_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("param");
    const auto row = [](const char* text, const char* param) {
        QTest::newRow(text) << QByteArray(text) << QString(param);
    };
    row("[]", "");
    row("{", "");
    row(R"({"expires_after":{"seconds":9}})", "expires_after.seconds");
    row(R"({"expires_after":{"seconds":7201}})", "expires_after.seconds");
    row(R"({"expires_after":{"seconds":"60"}})", "expires_after.seconds");
    row(R"({"expires_after":{"anchor":"noon"}})", "expires_after.anchor");
    row(R"({"expires_after":60})", "expires_after");
    row(R"({"session":{"model":"voice-1"}})", "session.type");
    row(R"({"session":{"type":"realtime","expires_after":{}}})", "session.expires_after");
    row(R"({"seconds":60})", "seconds");
}

void TestClientSecret::request_WithAFault_NamesItsPath()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, param);
    const auto request = decodeClientSecretRequest(text.toStdString());
    QVERIFY(!request.has_value());
    QCOMPARE(QString::fromStdString(request.error().param), param);
}

void TestClientSecret::answer_DecodedAndEncoded_IsTheSame()
{
    const std::string text = R"({"expires_at":1790000060,"session":{"expires_at":0,"id":"sess_1","model":"voice-1",)"
                             R"("object":"realtime.session","type":"realtime"},"value":"ek_abc"})";
    const auto secret = decodeClientSecret(text);
    QVERIFY(secret.has_value());
    QVERIFY(secret->value.equals("ek_abc"));
    QCOMPARE(secret->expiresAt, std::int64_t{1'790'000'060});
    QCOMPARE(secret->session->id.value_or(""), std::string("sess_1"));
    QCOMPARE(encode(*secret), text);
}

void TestClientSecret::answer_OfACompatibleServer_IsRead()
{
    const auto secret = decodeClientSecret(R"({"value":"xai-1","expires_at":1790000060,"session":null,"novelty":[]})");
    QVERIFY(secret.has_value());
    QVERIFY(!secret->session.has_value());
}

void TestClientSecret::answer_WithAFault_IsRefusedWithoutTheSecret_data()
{
    QTest::addColumn<QByteArray>("text");
    for (const char* text :
        {"", "[]", "{}", R"({"value":"ek_abc"})", R"({"value":"","expires_at":1})", R"({"value":7,"expires_at":1})",
            R"({"value":null,"expires_at":1})", R"({"value":"ek_abc","expires_at":"soon"})",
            R"({"value":"ek_abc","expires_at":null})", R"({"client_secret":{"value":"ek_abc","expires_at":1}})"}) {
        QTest::newRow(text) << QByteArray(text);
    }
}

void TestClientSecret::answer_WithAFault_IsRefusedWithoutTheSecret()
{
    QFETCH(QByteArray, text);
    const auto secret = decodeClientSecret(text.toStdString());
    QVERIFY(!secret.has_value());
    QVERIFY(!secret.error().message.empty());
    QVERIFY(secret.error().message.find("ek_abc") == std::string::npos);
}

QTEST_GUILESS_MAIN(TestClientSecret)
#include "test_client_secret.moc"
