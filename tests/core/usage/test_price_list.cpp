#include "core/base/rfc3339.h"
#include "core/usage/price_list.h"

#include <QTest>

using namespace vivavoce::core;

class TestPriceList : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tally_TakesCachedTokensOutOfTheFreshOnes();
    void tally_WithoutDetails_CountsAsText();
    void estimate_OfEachKind_UsesItsOwnPrice();
    void estimate_OfADatedModel_UsesTheModels();
    void estimate_OfAnUnknownModel_IsNothing();
    void find_TakesTheNewestPriceOfThatDay();
    void parse_OfWhatIsNoPriceList_SaysWhichRow_data();
    void parse_OfWhatIsNoPriceList_SaysWhichRow();
    void cost_OfTimeAndOfTheLongestTurn();
};

void TestPriceList::tally_TakesCachedTokensOutOfTheFreshOnes()
{
    openai::Usage usage;
    usage.inputDetails = openai::InputTokenDetails{70, {100, 200, 0}, openai::TokenCounts{30, 40, 0}};
    usage.outputDetails = openai::TokenCounts{5, 6, 0};
    const UsageTally tally = UsageTally::of(usage);
    QCOMPARE(tally.textIn, 70);
    QCOMPARE(tally.audioIn, 160);
    QCOMPARE(tally.cachedIn(), 70);
    QCOMPARE(tally.textOut, 5);
    QCOMPARE(tally.audioOut, 6);
}

void TestPriceList::tally_WithoutDetails_CountsAsText()
{
    openai::Usage usage;
    usage.inputTokens = 12;
    usage.outputTokens = 3;
    const UsageTally tally = UsageTally::of(usage);
    QCOMPARE(tally.textIn, 12);
    QCOMPARE(tally.textOut, 3);
    QCOMPARE(tally.audioIn, 0);
}

void TestPriceList::estimate_OfEachKind_UsesItsOwnPrice()
{
    UsageTally tally;
    tally.audioIn = 1'000'000;
    QCOMPARE(estimate("gpt-realtime-2.1", tally)->nanoDollars, 32'000'000'000);
    tally = {};
    tally.cachedTextIn = 1'000'000;
    QCOMPARE(estimate("gpt-realtime-2.1-mini", tally)->nanoDollars, 60'000'000);
    tally = {};
    tally.audioOut = 1'000'000;
    QCOMPARE(estimate("gemini-3.8-live", tally)->nanoDollars, 12'000'000'000);
}

void TestPriceList::estimate_OfADatedModel_UsesTheModels()
{
    UsageTally tally;
    tally.textOut = 1;
    QCOMPARE(estimate("gpt-realtime-mini-2026-01-15", tally)->nanoDollars, 2'400);
    QVERIFY(!estimate("gpt-realtime-mini-2026-01", tally));
}

void TestPriceList::estimate_OfAnUnknownModel_IsNothing()
{
    QVERIFY(!estimate("gpt-realtime-3", UsageTally{}));
    QVERIFY(!estimate("", UsageTally{}));
}

void TestPriceList::find_TakesTheNewestPriceOfThatDay()
{
    const auto list = PriceList::parse(
        R"({"prices":[{"model":"m","from":"2026-06-01","minute":3},)"
        R"({"model":"m","from":"2026-01-01","minute":1},{"model":"n","from":"2026-01-01","minute":9}]})");
    QVERIFY(list.has_value());
    const auto minuteOn = [&](const char* day) { return list->find("m", *parseRfc3339(day))->minute / 1'000'000'000; };
    QCOMPARE(minuteOn("2025-01-01T00:00:00Z"), 1);
    QCOMPARE(minuteOn("2026-05-31T23:59:59Z"), 1);
    QCOMPARE(minuteOn("2026-06-01T00:00:00Z"), 3);
    QVERIFY(list->find("o", WallTime()) == nullptr);
}

void TestPriceList::parse_OfWhatIsNoPriceList_SaysWhichRow_data()
{
    QTest::addColumn<std::string>("text");
    QTest::addColumn<std::string>("says");
    const std::string good = R"({"model":"m","from":"2026-06-01","minute":3})";
    const auto row = [&](const char* name, const std::string& text, const char* says) {
        QTest::newRow(name) << R"({"prices":[)" + good + ',' + text + "]}" << std::string(says);
    };
    QTest::newRow("no JSON") << std::string("prices") << std::string();
    QTest::newRow("no list") << std::string("{}") << std::string("prices");
    row("no object", "1", "row 2");
    row("no model", R"({"from":"2026-06-01","minute":3})", "row 2: model and from");
    row("no price", R"({"model":"x","from":"2026-06-01"})", "row 2: each kind");
    row("half the prices", R"({"model":"x","from":"2026-06-01","textIn":3})", "row 2: each kind");
    row("a gift", R"({"model":"x","from":"2026-06-01","minute":-1})", "row 2: minute");
    row("a text for a price", R"({"model":"x","from":"2026-06-01","minute":"1"})", "row 2: minute");
    row("no day", R"({"model":"x","from":"June","minute":1})", "row 2: from");
    row("an unknown name", R"({"model":"x","from":"2026-06-01","minute":1,"hour":1})", "row 2: hour");
    row("the same twice", good, "m has two prices");
}

void TestPriceList::parse_OfWhatIsNoPriceList_SaysWhichRow()
{
    QFETCH(std::string, text);
    QFETCH(std::string, says);
    const auto list = PriceList::parse(text);
    QVERIFY(!list.has_value());
    QVERIFY2(list.error().find(says) != std::string::npos, list.error().c_str());
}

void TestPriceList::cost_OfTimeAndOfTheLongestTurn()
{
    // The first service's price: $0.002 a minute.
    const auto list = PriceList::parse(R"({"prices":[{"model":"m","from":"2026-01-01","minute":0.002}]})");
    const PriceRow& row = list->rows().front();
    QCOMPARE(row.costOf(std::chrono::minutes(5)), 10'000'000);
    QCOMPARE(row.costOf(std::chrono::milliseconds(7'650'000)), 255'000'000);
    // 32,000 tokens of speech heard and 4,096 spoken.
    const PriceRow* const realtime = PriceList::builtIn().find("gpt-realtime", WallTime());
    QVERIFY(realtime != nullptr);
    QCOMPARE(realtime->costOfLongestTurn(), std::int64_t{32'000} * 32'000 + std::int64_t{4'096} * 64'000);
    for (const PriceRow& one : PriceList::builtIn().rows()) {
        // Of a transcriber nothing is held.
        QVERIFY2(one.minute > 0 || one.audioOut == 0 || one.costOfLongestTurn() > 0, one.model.c_str());
    }
}

QTEST_GUILESS_MAIN(TestPriceList)
#include "test_price_list.moc"
