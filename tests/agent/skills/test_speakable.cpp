#include "agent/skills/speakable.h"

#include <QtTest/QtTest>

using namespace vivavoce::agent::skills;

class TestSpeakable : public QObject {
    Q_OBJECT

private slots:
    void speakable_FiguresAndSigns_AreSaidInWords_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("said");
        const auto row = [](const char* text, const char* said) { QTest::newRow(text) << text << said; };
        row("on 2026-11-23", "on November twenty third, twenty twenty six");
        row("at 14:05", "at fourteen oh five");
        row("at 9:00", "at nine o'clock");
        row("21.5\xC2\xB0"
            "C",
            "twenty one point five degrees Celsius");
        row("80%", "eighty percent");
        row("**bold** `code`", "bold code");
        row("a B2B deal", "a B2B deal");
        row("2026-99-23", "2026-99-23");
        row("-3 of 1000", "minus three of one thousand");
    }

    void speakable_FiguresAndSigns_AreSaidInWords()
    {
        QFETCH(QString, text);
        QFETCH(QString, said);
        QCOMPARE(QString::fromStdString(speakable(text.toStdString())), said);
    }

    void speakableOutput_JsonAndText_BecomeSentences_data()
    {
        QTest::addColumn<QString>("output");
        QTest::addColumn<QString>("said");
        const auto row = [](const char* output, const char* said) { QTest::newRow(output) << output << said; };
        row("It rains.", "It rains.");
        row("\"sunny\"", "Sunny.");
        row("", "Done.");
        row("null", "Done.");
        row("{}", "Done.");
        row(R"({"success":true})", "Done.");
        row(R"({"condition":"cloudy","tempC":21})", "Condition is cloudy and temp c is twenty one.");
        row(R"({"error":"no such city"})", "That did not work: no such city.");
        row(R"({"error":{"code":7,"message":"quota used up"}})", "That did not work: quota used up.");
        row(R"({"success":false})", "That did not work.");
        row(R"({"error":"tool.failed"})", "That did not work.");
        row(R"(["a","b","c"])", "A, b and c.");
        row("[1,2,3,4,5,6,7]", "One, two, three, four, five and two more.");
        row("[]", "None.");
        row(R"({"windSpeed":3.5,"today":{"rain":false}})", "Today: rain is no and wind speed is three point five.");
        row("42", "Forty two.");
        row("{broken", "{broken.");
    }

    void speakableOutput_JsonAndText_BecomeSentences()
    {
        QFETCH(QString, output);
        QFETCH(QString, said);
        QCOMPARE(QString::fromStdString(speakableOutput(output.toStdString())), said);
    }

    void speakableOutput_HugeOutput_IsCutShort()
    {
        std::string huge;
        for (int i = 0; i < 20000; ++i) {
            huge += "word ";
        }
        QVERIFY(speakableOutput(huge).size() < 700);
        QVERIFY(speakableOutput(std::string(100000, 'x')).size() < 700);
    }
};

QTEST_GUILESS_MAIN(TestSpeakable)
#include "test_speakable.moc"
