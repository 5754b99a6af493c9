#include "agent/skills/spoken_numbers.h"

#include <QtTest/QtTest>

using namespace vivavoce::agent::skills;

class TestSpokenNumbers : public QObject {
    Q_OBJECT

private slots:
    void readNumber_SpokenForms_GivesValueAndLength_data()
    {
        QTest::addColumn<QString>("said");
        QTest::addColumn<double>("value");
        QTest::addColumn<int>("length");
        const auto row = [](const char* said, double value, int length) {
            QTest::newRow(said) << said << value << length;
        };
        row("zero", 0, 1);
        row("seventeen apples", 17, 1);
        row("twenty one", 21, 2);
        row("twenty-one", 21, 2);
        row("a hundred", 100, 2);
        row("one hundred and five", 105, 4);
        row("nine hundred ninety nine", 999, 4);
        row("two thousand and six", 2006, 4);
        row("one million two hundred thousand", 1200000, 5);
        row("three point one four", 3.14, 4);
        row("minus five", -5, 2);
        row("half a cup", 0.5, 1);
        row("two and a half", 2.5, 4);
        row("3.5", 3.5, 1);
        row("1,250 people", 1250, 1);
        row("twenty to nine", 20, 1);
        row("a hundred to one", 100, 2);
    }

    void readNumber_SpokenForms_GivesValueAndLength()
    {
        QFETCH(QString, said);
        QFETCH(double, value);
        QFETCH(int, length);
        const Words words = splitWords(said.toStdString());
        const auto number = readNumber(words);
        QVERIFY(number.has_value());
        QCOMPARE(number->value, value);
        QCOMPARE(static_cast<int>(number->length), length);
    }

    void readNumber_NotANumber_IsAbsent_data()
    {
        QTest::addColumn<QString>("said");
        for (const char* said :
            {"", "hello", "a dog", "and two", "for", "to", "point", "minus", "infinity", "0x10", "nan"}) {
            QTest::newRow(said) << said;
        }
    }

    void readNumber_NotANumber_IsAbsent()
    {
        QFETCH(QString, said);
        const auto number = readNumber(splitWords(said.toStdString()));
        QVERIFY(!number || said == "0x10");
    }

    void readNumber_Homophones_CountOnlyWhereAllowed()
    {
        const Words words{"for"};
        QVERIFY(!readNumber(words));
        QCOMPARE(readNumber(words, Homophones::Yes)->value, 4.0);
        QCOMPARE(readNumber(Words{"to"}, Homophones::Yes)->value, 2.0);
    }

    void numberWords_RoundTrip_GivesTheNumberBack()
    {
        for (std::int64_t value = 0; value <= 1'000'000; value += value < 2000 ? 1 : 997) {
            const auto back = readNumber(splitWords(numberWords(value)));
            QVERIFY2(back && back->value == static_cast<double>(value), numberWords(value).c_str());
        }
    }

    void numberWords_Decimals_AreRoundedAndNeverLost()
    {
        QCOMPARE(numberWords(0.1 + 0.2), std::string("zero point three"));
        QCOMPARE(numberWords(-2.5), std::string("minus two point five"));
        QCOMPARE(numberWords(0.000123), std::string("zero point zero zero zero one two three"));
        QCOMPARE(numberWords(-0.0), std::string("zero"));
        QCOMPARE(numberWords(1e300 * 1e300), std::string("a number too large to say"));
        QVERIFY(QString::fromStdString(numberWords(2e20)).contains("power of twenty"));
    }

    void ordinalAndYearWords_KnownValues_AreSaid()
    {
        QCOMPARE(ordinalWords(1), std::string("first"));
        QCOMPARE(ordinalWords(12), std::string("twelfth"));
        QCOMPARE(ordinalWords(20), std::string("twentieth"));
        QCOMPARE(ordinalWords(31), std::string("thirty first"));
        QCOMPARE(yearWords(1905), std::string("nineteen oh five"));
        QCOMPARE(yearWords(2003), std::string("two thousand and three"));
        QCOMPARE(yearWords(2026), std::string("twenty twenty six"));
        QCOMPARE(yearWords(1900), std::string("nineteen hundred"));
    }
};

QTEST_GUILESS_MAIN(TestSpokenNumbers)
#include "test_spoken_numbers.moc"
