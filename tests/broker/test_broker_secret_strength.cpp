#include "broker/setup/secret_strength.h"
#include "core/base/base64.h"
#include "tests/broker/test_secrets.h"

#include <QTest>

#include <random>

using namespace vivavoce;
using broker::weaknessOf;

namespace {

QByteArray weakness(const QByteArray& secret)
{
    const core::Secret held{std::string_view(secret.constData(), static_cast<std::size_t>(secret.size()))};
    const std::string_view why = weaknessOf(held);
    return {why.data(), static_cast<qsizetype>(why.size())};
}

/// What openssl rand and head -c from /dev/urandom give; the same ones in each run, so that a failure can be seen again.
class RandomBytes {
public:
    QByteArray take(int count)
    {
        QByteArray bytes(count, '\0');
        for (char& byte : bytes) {
            byte = static_cast<char>(m_engine() & 0xFFU);
        }
        return bytes;
    }

private:
    std::mt19937_64 m_engine{20'271'123};
};

} // namespace

class TestBrokerSecretStrength : public QObject {
    Q_OBJECT

private slots:
    void weakness_OfASecretFromAGenerator_IsNone()
    {
        RandomBytes random;
        for (int i = 0; i < 20'000; ++i) {
            const QByteArray few = random.take(32);
            for (const QByteArray& secret :
                {random.take(48).toBase64(), few.toBase64(), few.toHex(), few.toHex().toUpper(), few,
                    few.toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals),
                    few.left(16).toHex()}) {
                const QByteArray why = weakness(secret);
                QVERIFY2(why.isEmpty(), (secret + ": " + why).constData());
            }
        }
    }

    void weakness_OfTheTestsOwn_IsNone()
    {
        QVERIFY(weakness(tests::kTestSecret).isEmpty());
        QVERIFY(weakness(tests::kOtherTestSecret).isEmpty());
    }

    void weakness_OfWhatCanBeGuessed_IsTold_data()
    {
        QTest::addColumn<QByteArray>("secret");
        QTest::addColumn<QByteArray>("why");
        const auto row = [](const QByteArray& secret, const char* why) {
            QTest::newRow(secret.left(60).constData()) << secret << QByteArray(why);
        };
        row("secret", "32 bytes");
        row("changeme", "32 bytes");
        row("your-256-bit-secret", "32 bytes");
        row("KdX9pZ2vQ7mB4tR8wY1cF6hJ3nL5sGa", "32 bytes");
        row(QByteArray(32, 's'), "repeats");
        row(QByteArray(64, '\0'), "repeats");
        row("deadbeefdeadbeefdeadbeefdeadbeef", "repeats");
        row("abc123abc123abc123abc123abc123abc123", "repeats");
        row("0123456789abcdef0123456789abcdef", "repeats");
        row("0123456789abcdefghijklmnopqrstuv", "repeats");
        row("98765432109876543210zyxwvutsrqponmlk", "repeats");
        row("1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d", "repeats");
        row("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "repeats");
        row("qwertyuiopasdfghjklzxcvbnm1234567890", "repeats");
        row("mnbvcxzlkjhgfdsapoiuytrewq0987654321", "repeats");
        row("2027-01-01T00:00:00Z2027-01-01T00:00:00Z", "repeats");
        row("your-secret-key-please-change-this-in-production", "words");
        row("a-string-secret-at-least-256-bits-long", "words");
        row("ThisIsMySuperSecretKeyForJwtAuthentication2027", "words");
        row("MY_SUPER_SECRET_KEY_FOR_JWT_AUTH_2027_X", "words");
        row("Passwords4Everybody!Are-Not%Keys#At=All", "words");
        row("correct horse battery staple in the stable", "words");
        row("CorrectHorseBatteryStapleVoiceBroker2026", "words");
        row("the quick brown fox; over the lazy dog!!", "words");
        row(QByteArray("your-secret-key-please-change-this-in-production").toBase64(), "words");
        row(QByteArray("your-secret-key-please-change-this-in-production").toHex(), "words");
        row(QByteArray(33, 'x').toBase64(), "repeats");
        row(QByteArray("abcdefghijklmnopqrstuvwxyz0123456789").toBase64(), "guessed");
        row(QByteArray("abcdefghijklmnopqrstuvwxyz0123456789").toHex(), "guessed");
    }
    void weakness_OfWhatCanBeGuessed_IsTold()
    {
        QFETCH(QByteArray, secret);
        QFETCH(QByteArray, why);
        const QByteArray told = weakness(secret);
        QVERIFY2(told.contains(why), told.constData());
        // What is wrong is told, and nothing of the secret.
        QVERIFY(secret.size() < 32 || !told.contains(secret.left(8)));
    }

    void weakness_OfAPublishedKey_IsTold_data()
    {
        QTest::addColumn<QByteArray>("secret");
        QTest::newRow("RFC 7515 A.1") << QByteArray(
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
        QTest::newRow("RFC 7515 A.2") << QByteArray(
            "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-"
            "pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_"
            "0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_"
            "RQyGWSeWjnczT0QU91p1DhOVRuOopznQ");
        QTest::newRow("RFC 7515 A.3") << QByteArray("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
        QTest::newRow("RFC 7515 A.4") << QByteArray(
            "AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C");
        QTest::newRow("RFC 7520 3.5") << QByteArray("hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg");
        QTest::newRow("a tutorial") << QByteArray("3cfa76ef14937c1c0ea519f8fc057a80fcd04a7420f8e8bcd0a7567c272e007b");
    }
    void weakness_OfAPublishedKey_IsTold()
    {
        QFETCH(QByteArray, secret);
        QVERIFY2(weakness(secret).contains("published"), weakness(secret).constData());
        if (secret.size() % 2 == 0 && secret.toUpper() != secret && secret.contains("3cfa")) {
            QVERIFY(weakness(secret.toUpper()).contains("published"));
        }
        // The same key as the bytes that it stands for.
        const auto decoded = QByteArray::fromBase64Encoding(
            secret, QByteArray::Base64UrlEncoding | QByteArray::AbortOnBase64DecodingErrors);
        if (decoded.decodingStatus == QByteArray::Base64DecodingStatus::Ok && !secret.contains("3cfa")) {
            QVERIFY2(weakness(*decoded).contains("published"), weakness(*decoded).constData());
        }
    }
};

QTEST_GUILESS_MAIN(TestBrokerSecretStrength)
#include "test_broker_secret_strength.moc"
