#include "core/base/base64.h"

#include <QTest>

using namespace vivavoce::core;

class Base64Test : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void vectors_Rfc4648Section10_data()
    {
        QTest::addColumn<std::string>("plain");
        QTest::addColumn<std::string>("encoded");
        QTest::newRow("0") << std::string("") << std::string("");
        QTest::newRow("1") << std::string("f") << std::string("Zg==");
        QTest::newRow("2") << std::string("fo") << std::string("Zm8=");
        QTest::newRow("3") << std::string("foo") << std::string("Zm9v");
        QTest::newRow("4") << std::string("foob") << std::string("Zm9vYg==");
        QTest::newRow("5") << std::string("fooba") << std::string("Zm9vYmE=");
        QTest::newRow("6") << std::string("foobar") << std::string("Zm9vYmFy");
    }
    void vectors_Rfc4648Section10()
    {
        QFETCH(std::string, plain);
        QFETCH(std::string, encoded);
        const Bytes bytes(plain.begin(), plain.end());
        QCOMPARE(encodeBase64(bytes), encoded);
        const auto decoded = decodeBase64(encoded);
        QVERIFY(decoded.has_value());
        QVERIFY(*decoded == bytes);
    }

    void decode_Lax_IsRefused_data()
    {
        QTest::addColumn<std::string>("text");
        QTest::newRow("no padding") << std::string("Zg");
        QTest::newRow("white space") << std::string("Zm9v\nZg==");
        QTest::newRow("spare bits, two digits") << std::string("Zh==");
        QTest::newRow("spare bits, three digits") << std::string("Zm9=");
        QTest::newRow("URL-safe alphabet") << std::string("-_-_");
        QTest::newRow("padding inside") << std::string("Zg==Zg==");
        QTest::newRow("three paddings") << std::string("Z===");
        QTest::newRow("only padding") << std::string("====");
        QTest::newRow("beyond ASCII") << std::string("Zm9\xC3");
    }
    void decode_Lax_IsRefused()
    {
        QFETCH(std::string, text);
        QVERIFY(!decodeBase64(text).has_value());
    }

    void decodeUrlSafe_OfItsOwn_GivesTheBytesBack()
    {
        Bytes bytes;
        for (int i = 0; i < 256; ++i) {
            bytes.push_back(static_cast<std::uint8_t>(255 - i));
            const auto back = decodeBase64Url(encodeBase64Url(bytes));
            QVERIFY(back.has_value());
            QVERIFY(*back == bytes);
        }
    }

    void decodeUrlSafe_Lax_IsRefused_data()
    {
        QTest::addColumn<std::string>("text");
        QTest::newRow("padding") << std::string("Zg==");
        QTest::newRow("one digit left") << std::string("Zm9vZ");
        QTest::newRow("spare bits, two digits") << std::string("Zh");
        QTest::newRow("spare bits, three digits") << std::string("Zm9");
        QTest::newRow("standard alphabet") << std::string("+/+/");
        QTest::newRow("white space") << std::string("Zm9v\n");
    }
    void decodeUrlSafe_Lax_IsRefused()
    {
        QFETCH(std::string, text);
        QVERIFY(!decodeBase64Url(text).has_value());
    }

    void everyByte_SurvivesTheWayThereAndBack()
    {
        Bytes bytes;
        for (int i = 0; i < 256; ++i) {
            bytes.push_back(static_cast<std::uint8_t>(i));
            const auto back = decodeBase64(encodeBase64(bytes));
            QVERIFY(back.has_value());
            QVERIFY(*back == bytes);
        }
    }

    void urlSafe_HasNoPaddingAndNoSlash() { QCOMPARE(encodeBase64Url(Bytes{0xFB, 0xFF}), std::string("-_8")); }
};

QTEST_GUILESS_MAIN(Base64Test)
#include "test_base64.moc"
