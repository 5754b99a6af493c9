#include "core/tools/readable_arguments.h"

#include "core/tools/readable_text.h"

#include <QTest>

using vivavoce::core::readableArguments;
using vivavoce::core::readableText;
using vivavoce::core::terminalText;

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

    void lettersThatCannotBeSeen_AreShown_data()
    {
        QTest::addColumn<QString>("word");
        for (const char32_t point : std::u32string{0x7f, 0x9b, 0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180b,
                 0x180e, 0x200b, 0x200f, 0x202a, 0x2060, 0x2069, 0x2800, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff9,
                 0x1d173, 0xe0000, 0xe0001, 0xe0020, 0xe007f, 0xe0100, 0xe01ef}) {
            const std::u32string word{U'x', point, U'y'};
            QTest::addRow("U+%04X", static_cast<unsigned>(point)) << QString::fromStdU32String(word);
        }
    }
    void lettersThatCannotBeSeen_AreShown()
    {
        QFETCH(QString, word);
        QCOMPARE(readableArguments("{\"a\":\"" + word.toStdString() + "\"}"), std::string("a: x\xef\xbf\xbdy"));
    }

    void bytesThatAreNoText_AreShown_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("shown");
        QTest::newRow("alone") << QByteArray("\x9b") << 1;
        QTest::newRow("cut off") << QByteArray("\xe2\x80") << 2;
        QTest::newRow("longer than need be") << QByteArray("\xc0\x9b") << 2;
        QTest::newRow("longer than need be, of three") << QByteArray("\xe0\x82\x9b") << 3;
        QTest::newRow("half of a pair") << QByteArray("\xed\xa0\x80") << 3;
        QTest::newRow("beyond the last") << QByteArray("\xf4\x90\x80\x80") << 4;
    }
    void bytesThatAreNoText_AreShown()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(int, shown);
        const std::string expected = "a" + QByteArray("\xef\xbf\xbd").repeated(shown).toStdString() + "z";
        QCOMPARE(readableText("a" + bytes.toStdString() + "z"), expected);
        QCOMPARE(terminalText("a" + bytes.toStdString() + "z"), expected);
    }

    void terminal_ObeysNothing_ButJoinedLettersStay()
    {
        QCOMPARE(terminalText("a\x1b[8m\r\n\tb\xc2\x9b\xe2\x80\xae"),
            std::string("a\xef\xbf\xbd[8m\xef\xbf\xbd \xe2\x86\xb5  b\xef\xbf\xbd\xef\xbf\xbd"));
        const std::string family("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 \xe2\x9d\xa4\xef\xb8\x8f");
        QCOMPARE(terminalText(family), family);
    }

    void lettersOfOtherLanguages_Stay()
    {
        QCOMPARE(readableArguments("{\"ort\":\"Łódź 東京 𝄞\"}"), std::string("ort: Łódź 東京 𝄞"));
    }
};

QTEST_GUILESS_MAIN(TestReadableArguments)
#include "test_readable_arguments.moc"
