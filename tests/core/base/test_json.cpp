#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <QTest>

using namespace vivavoce::core;

/// The guarded parse: what RFC 8259 allows and nothing else. Rows named after the classes of JSONTestSuite.
class JsonTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void parse_ValidText_IsAccepted_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("object") << QByteArray(R"({"a":[1,-0,1e3,true,null,"é"]})");
        QTest::newRow("white space around") << QByteArray(" \t\r\n[] \n");
        QTest::newRow("lone scalar") << QByteArray("42");
        QTest::newRow("escaped surrogate pair") << QByteArray(R"("\uD834\uDD1E")");
        QTest::newRow("empty key") << QByteArray(R"({"":0})");
        QTest::newRow("same key in different objects") << QByteArray(R"({"a":{"a":1},"b":{"a":2}})");
        QTest::newRow("escaped NUL") << QByteArray(R"("\u0000")");
    }
    void parse_ValidText_IsAccepted()
    {
        QFETCH(QByteArray, text);
        QVERIFY(parseJson(text.toStdString()).has_value());
    }

    void parse_BadText_IsRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("empty") << QByteArray("");
        QTest::newRow("NUL after a number") << QByteArray("123\0", 4);
        QTest::newRow("NUL inside") << QByteArray("[1,\0 2]", 7);
        QTest::newRow("byte order mark") << QByteArray("\xEF\xBB\xBF{}");
        QTest::newRow("trailing comma") << QByteArray("[1,]");
        QTest::newRow("two values") << QByteArray("{} {}");
        QTest::newRow("comment") << QByteArray("[1 /* one */]");
        QTest::newRow("single quotes") << QByteArray("{'a':1}");
        QTest::newRow("leading zero") << QByteArray("[01]");
        QTest::newRow("NaN") << QByteArray("[NaN]");
        QTest::newRow("lone surrogate") << QByteArray(R"("\uD800")");
        QTest::newRow("bad UTF-8") << QByteArray("\"\xC3\x28\"");
        QTest::newRow("overlong UTF-8") << QByteArray("\"\xC0\xAF\"");
        QTest::newRow("raw control character") << QByteArray("\"a\nb\"");
        QTest::newRow("unfinished") << QByteArray(R"({"a":)");
    }
    void parse_BadText_IsRefused()
    {
        QFETCH(QByteArray, text);
        const auto result = parseJson({text.constData(), static_cast<std::size_t>(text.size())});
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().fault, JsonFault::Syntax);
    }

    void parse_SameKeyTwice_IsNamedSo()
    {
        const auto result = parseJson(R"({"type":"a","x":{"y":1,"y":2}})");
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().fault, JsonFault::DuplicateKey);
    }

    void parse_DuplicateHiddenByEscape_IsRefused()
    {
        const auto result = parseJson(R"({"type":"a","\u0074ype":"b"})");
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().fault, JsonFault::DuplicateKey);
    }

    void parse_AtTheDepthLimit_IsAccepted()
    {
        QVERIFY(parseJson(std::string(kJsonMaxDepth, '[') + std::string(kJsonMaxDepth, ']')).has_value());
    }

    void parse_BeyondTheDepthLimit_IsRefused_data()
    {
        QTest::addColumn<int>("depth");
        QTest::newRow("one more") << kJsonMaxDepth + 1;
        QTest::newRow("a hundred thousand") << 100'000;
    }
    void parse_BeyondTheDepthLimit_IsRefused()
    {
        QFETCH(int, depth);
        const auto result = parseJson(std::string(static_cast<std::size_t>(depth), '['));
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().fault, JsonFault::TooDeep);
    }

    void parse_NestedValues_KeepTheirPlaces()
    {
        const auto result = parseJson(R"([{"a":[1,{"b":2}],"c":3},4])");
        QVERIFY(result.has_value());
        QCOMPARE((*result)[0]["a"][1]["b"].get<int>(), 2);
        QCOMPARE((*result)[0]["c"].get<int>(), 3);
        QCOMPARE((*result)[1].get<int>(), 4);
    }

    void error_OfTextWithASecret_DoesNotQuoteIt()
    {
        const auto result = parseJson(R"({"token":"hunter2" oops)");
        QVERIFY(!result.has_value());
        QVERIFY(result.error().detail.find("hunter2") == std::string::npos);
    }

    void write_BadUtf8_IsReplacedNotThrown() { QCOMPARE(writeJson(Json("a\xFF")), std::string("\"a\xEF\xBF\xBD\"")); }
};

QTEST_GUILESS_MAIN(JsonTest)
#include "test_json.moc"
