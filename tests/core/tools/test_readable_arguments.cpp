#include "core/tools/readable_arguments.h"

#include <QTest>

using vivavoce::core::readableArguments;

class TestReadableArguments : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void arguments_AreALineEach()
    {
        QCOMPARE(readableArguments("{\"url\":\"https:\\/\\/example.com\",\"days\":3,\"list\":[1,\"a\"]}"),
            std::string("days: 3\nlist: [1,\"a\"]\nurl: https://example.com"));
        QCOMPARE(readableArguments("{}"), std::string());
    }

    void value_CannotPassForAnotherLine()
    {
        QCOMPARE(readableArguments("{\"a\":\"x\\nb: y\\u2028\\u001b[1m\"}"),
            std::string("a: x \xe2\x86\xb5 b: y\xef\xbf\xbd\xef\xbf\xbd[1m"));
    }

    void lettersThatTurnOthersRound_AreShown()
    {
        QCOMPARE(readableArguments("{\"a\\u202e\":\"gpj\\u2066.exe\\u200b\"}"),
            std::string("a\xef\xbf\xbd: gpj\xef\xbf\xbd.exe\xef\xbf\xbd"));
    }

    void lettersOfOtherLanguages_Stay()
    {
        QCOMPARE(readableArguments("{\"ort\":\"Łódź 東京 𝄞\"}"), std::string("ort: Łódź 東京 𝄞"));
    }
};

QTEST_GUILESS_MAIN(TestReadableArguments)
#include "test_readable_arguments.moc"
