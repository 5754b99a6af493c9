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

QTEST_GUILESS_MAIN(TestPriceList)
#include "test_price_list.moc"
