#include "tests/support/fake_usage_book.h"
#include "tests/support/manual_clock.h"
#include "tests/ui/ui_fakes.h"
#include "ui/usage/usage_book_view_model.h"

#include <QAbstractItemModelTester>
#include <QTest>

#include <deque>
#include <memory>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

constexpr auto kFatal = QAbstractItemModelTester::FailureReportingMode::Fatal;
constexpr std::int64_t kDollar = 1'000'000'000;

struct Asked {
    UsageQuery query;
    BrokerLedger::Done done;
};

/// At 2027-01-15 in UTC.
struct World {
    explicit World(Profile profile = Profile::Broker)
    {
        memory.kept.profile = profile;
        memory.kept.brokerUrl = "https://voice.example";
        live = std::make_unique<LiveSettings>(memory);
        usage = std::make_unique<ui::UsageBookViewModel>(ui::UsageBookViewModel::Dependencies{
            book, *live, clock, [this](const UsageQuery& query, BrokerLedger::Done done) {
                asked.push_back({query, std::move(done)});
            }});
    }
    /// A turn of a dollar: 100 tokens in, 40 of them from the cache; 30 out.
    void count(const char* session, const char* part, const char* day, const char* broker = "https://voice.example")
    {
        UsageRecord record{session, part, day, broker, "m", {}, "2026-10-09"};
        record.figures.tokens = {10, 50, 0, 10, 30, 0, 5, 25};
        record.figures.connected = Milliseconds{90'000};
        record.figures.turns = 1;
        record.figures.nanoDollars = kDollar;
        (void)book.put({record});
    }
    void answer(const Expected<BrokerUsage, Error>& told)
    {
        const Asked next = asked.front();
        asked.pop_front();
        next.done(told);
    }
    [[nodiscard]] BrokerUsage asTheBrokerHasIt(int turns) const
    {
        BrokerUsage told;
        told.sessions = turns > 0 ? 1 : 0;
        for (int i = 0; i < turns; ++i) {
            told.figures += book.all.front().figures;
        }
        return told;
    }

    FakeSettingsStore memory;
    std::unique_ptr<LiveSettings> live;
    ManualClock clock;
    FakeUsageBook book;
    std::deque<Asked> asked;
    std::unique_ptr<ui::UsageBookViewModel> usage;
};

} // namespace

class UsageBookViewModelTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }

    void model_IsAModel()
    {
        World world;
        const QAbstractItemModelTester tester(world.usage->spans(), kFatal);
        world.count("a", "1", "2027-01-15");
        world.usage->refresh();
        world.usage->setByMonth(true);
        world.usage->confirmClear();
        QCOMPARE(world.usage->spans()->count(), 1);
    }

    void figures_AreOfTodayAndOfTheMonth()
    {
        World world;
        QVERIFY(world.usage->isEmpty());
        world.count("a", "1", "2026-12-31");
        world.count("a", "2", "2027-01-01");
        world.count("b", "3", "2027-01-14");
        world.count("b", "4", "2027-01-15");
        world.usage->refresh();
        QVERIFY(!world.usage->isEmpty());
        QCOMPARE(world.usage->today().turns, QStringLiteral("1"));
        QCOMPARE(world.usage->month().turns, QStringLiteral("3"));
        QCOMPARE(world.usage->month().conversations, QStringLiteral("2"));
        QCOMPARE(world.usage->month().money, QStringLiteral("≈ $3.00"));
        QCOMPARE(world.usage->month().minutes, QStringLiteral("4.5"));
        QCOMPARE(world.usage->month().pricesOf, QStringLiteral("2026-10-09"));
        // The next day, and month.
        world.clock.jumpWall(std::chrono::hours(24 * 20));
        world.usage->refresh();
        QCOMPARE(world.usage->month().turns, QStringLiteral("0"));
        QCOMPARE(world.usage->spans()->count(), 4);
    }

    void whatCameFromTheCache_IsAPartOfWhatWentIn()
    {
        World world;
        world.count("a", "1", "2027-01-15");
        world.usage->refresh();
        const ui::UsageWords words = world.usage->today();
        QCOMPARE(words.allIn, QStringLiteral("100"));
        QCOMPARE(words.speechIn, QStringLiteral("50"));
        QCOMPARE(words.textIn, QStringLiteral("10"));
        QCOMPARE(words.cachedIn, QStringLiteral("40"));
        QCOMPARE(words.allOut, QStringLiteral("30"));
        const QModelIndex row = world.usage->spans()->index(0);
        QCOMPARE(row.data(ui::UsageSpanModel::When).toString(), QStringLiteral("15 Jan 2027"));
        QCOMPARE(row.data(ui::UsageSpanModel::Money).toString(), QStringLiteral("≈ $1.00"));
        QCOMPARE(row.data(ui::UsageSpanModel::Parts).toString(),
            QStringLiteral("In 100: 50 speech, 10 text, 40 from cache\nOut 30: 25 speech, 5 text"));
    }

    void spans_AreDaysOrMonths()
    {
        World world;
        world.count("a", "1", "2026-12-31");
        world.count("a", "2", "2027-01-14");
        world.count("a", "3", "2027-01-15");
        world.usage->refresh();
        QCOMPARE(world.usage->spans()->count(), 3);
        world.usage->setByMonth(true);
        QCOMPARE(world.usage->spans()->count(), 2);
        QCOMPARE(
            world.usage->spans()->index(0).data(ui::UsageSpanModel::When).toString(), QStringLiteral("January 2027"));
        QCOMPARE(world.usage->spans()->index(0).data(ui::UsageSpanModel::Money).toString(), QStringLiteral("≈ $2.00"));
    }

    void whatHasNoPrice_MakesTheMoneyALeast()
    {
        World world;
        world.count("a", "1", "2027-01-15");
        world.book.all.front().figures.unpriced = 1;
        world.usage->refresh();
        QCOMPARE(world.usage->today().money, QStringLiteral("≥ $1.00"));
    }

    void broker_ThatHasTheSame_Agrees()
    {
        World world;
        world.count("a", "1", "2027-01-15");
        world.count("a", "2", "2027-01-15", "https://other.example");
        world.count("", "3", "2027-01-15", "");
        world.usage->refresh();
        QVERIFY(world.usage->isAsking());
        QCOMPARE(world.asked.front().query.from, std::string("2027-01-01"));
        QCOMPARE(world.asked.front().query.to, std::string("2027-01-15"));
        QCOMPARE(*world.asked.front().query.broker, std::string("https://voice.example"));
        // What was used elsewhere is not this broker's to know.
        world.answer(world.asTheBrokerHasIt(1));
        QVERIFY(!world.usage->isAsking());
        QVERIFY(world.usage->comparison().contains(QStringLiteral("$1.00 with this broker, and the broker $1.00")));
        QCOMPARE(world.usage->explanation(), QStringLiteral("They agree."));
        QCOMPARE(*world.asked.front().query.session, std::string("a"));
        world.answer(world.asTheBrokerHasIt(1));
        QVERIFY(world.usage->lastConversation().contains(QStringLiteral("the same at both")));
    }

    void broker_ThatHasMore_IsExplained()
    {
        World world;
        world.count("a", "1", "2027-01-15");
        world.usage->refresh();
        BrokerUsage told = world.asTheBrokerHasIt(2);
        told.reportedNanoDollars = kDollar;
        world.answer(told);
        QVERIFY(world.usage->comparison().contains(QStringLiteral("$2.00")));
        QVERIFY(world.usage->explanation().contains(QStringLiteral("other devices")));
        QVERIFY(world.usage->explanation().contains(QStringLiteral("$1.00 of the broker's figure")));
        world.answer(world.asTheBrokerHasIt(2));
        QVERIFY(world.usage->lastConversation().contains(QStringLiteral("$1.00 here, $2.00 at the broker")));
        QVERIFY(!world.usage->explanation().contains(QStringLiteral("prices")));
    }

    void broker_ThatHasMoreForLess_OrLessForMore_HasOtherPrices()
    {
        World world;
        world.count("a", "1", "2027-01-15");
        world.usage->refresh();
        BrokerUsage told = world.asTheBrokerHasIt(2);
        told.figures.nanoDollars = 0;
        world.answer(told);
        QVERIFY(world.usage->explanation().startsWith(
            QStringLiteral("The broker has counted more tokens, at other prices.")));
        world.usage->askBroker();
        told = world.asTheBrokerHasIt(0);
        told.figures.nanoDollars = 3 * kDollar;
        world.answer(told);
        world.answer(told);
        QVERIFY2(world.usage->explanation().startsWith(
                     QStringLiteral("The broker has counted fewer tokens, at other prices.")),
            qPrintable(world.usage->explanation()));
    }

    void broker_WithOtherPricesOrLess_IsExplained()
    {
        World world;
        world.count("a", "1", "2027-01-15");
        world.usage->refresh();
        BrokerUsage dearer = world.asTheBrokerHasIt(1);
        dearer.figures.nanoDollars *= 2;
        world.answer(dearer);
        QVERIFY(world.usage->explanation().contains(QStringLiteral("other prices")));
        world.answer(world.asTheBrokerHasIt(0));
        QVERIFY(world.usage->lastConversation().contains(QStringLiteral("nothing of the last conversation")));
        world.usage->askBroker();
        world.answer(world.asTheBrokerHasIt(0));
        QVERIFY(world.usage->explanation().contains(QStringLiteral("may not have heard")));
    }

    void broker_ThatDoesNotTell_IsSaidToBeSo_data()
    {
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("words");
        QTest::newRow("away") << static_cast<int>(ErrorCode::BrokerUnreachable) << QStringLiteral("does not answer");
        QTest::newRow("refuses") << static_cast<int>(ErrorCode::NotAuthorised) << QStringLiteral("does not show you");
        QTest::newRow("older") << static_cast<int>(ErrorCode::BrokerMalformed) << QStringLiteral("does not tell");
    }
    void broker_ThatDoesNotTell_IsSaidToBeSo()
    {
        QFETCH(int, code);
        QFETCH(QString, words);
        World world;
        world.count("a", "1", "2027-01-15");
        world.usage->refresh();
        world.answer(fail(static_cast<ErrorCode>(code), "english, for logs"));
        QVERIFY2(world.usage->comparison().contains(words), qPrintable(world.usage->comparison()));
        QVERIFY(world.usage->explanation().isEmpty());
        QVERIFY(world.asked.empty());
        // What is here is shown all the same.
        QCOMPARE(world.usage->today().turns, QStringLiteral("1"));
        QVERIFY(world.usage->fault().isEmpty());
    }

    void answer_ToAnEarlierQuestion_IsNotShown()
    {
        World world;
        world.count("a", "1", "2027-01-15");
        world.usage->refresh();
        world.usage->askBroker();
        world.answer(fail(ErrorCode::BrokerUnreachable, ""));
        QVERIFY(world.usage->isAsking());
        const auto late = world.asked.front().done;
        world.usage.reset();
        late(BrokerUsage());
    }

    void agentOfThisComputer_HasNoBooks()
    {
        World world(Profile::ThisComputer);
        world.count("a", "1", "2027-01-15", "");
        world.usage->refresh();
        QVERIFY(!world.usage->hasBroker());
        QVERIFY(world.asked.empty());
    }

    void limit_IsChosen_AndSaysWhatIsLeft()
    {
        World world;
        world.count("a", "1", "2027-01-15");
        world.usage->refresh();
        QCOMPARE(world.usage->monthLimit(), 0);
        QCOMPARE(world.usage->monthLimits().first(), QStringLiteral("No limit"));
        QVERIFY(world.usage->leftOfLimit().isEmpty());
        world.usage->setMonthLimit(1);
        QCOMPARE(world.live->current().monthLimitCents, 500);
        QVERIFY(world.usage->leftOfLimit().contains(QStringLiteral("$4.00")));
        world.usage->setMonthLimit(99);
        QCOMPARE(world.live->current().monthLimitCents, 500);
        for (const char* part : {"2", "3", "4", "5"}) {
            world.count("a", part, "2027-01-15");
        }
        world.usage->refresh();
        QVERIFY(world.usage->leftOfLimit().contains(QStringLiteral("used up")));
    }

    void figures_GoWhenThatIsConfirmed()
    {
        World world;
        world.count("a", "1", "2027-01-15");
        world.usage->refresh();
        world.usage->confirmClear();
        QCOMPARE(world.book.all.size(), std::size_t{1});
        world.usage->askToClear();
        QVERIFY(world.usage->isClearing());
        world.usage->cancelClear();
        world.usage->confirmClear();
        QCOMPARE(world.book.all.size(), std::size_t{1});
        world.usage->askToClear();
        world.usage->confirmClear();
        QVERIFY(world.book.all.empty());
        QVERIFY(world.usage->isEmpty());
        QVERIFY(!world.usage->isClearing());
    }

    void bookThatCannotBeRead_IsSaid_AndCanBeCleared()
    {
        World world;
        world.book.readFault = Error{ErrorCode::HistoryFailed, "english, for logs", std::nullopt, {}};
        world.usage->refresh();
        QVERIFY(world.usage->fault().contains(QStringLiteral("cannot be read")));
        QVERIFY(!world.usage->isEmpty());
        QVERIFY(world.asked.empty());
    }

    void bookThatCannotBeRead_LeavesNobodyKnowsWhat_OfTheLimit()
    {
        World world;
        world.usage->setMonthLimit(1);
        world.usage->refresh();
        QVERIFY(world.usage->leftOfLimit().contains(QStringLiteral("$5.00")));
        world.book.readFault = Error{ErrorCode::HistoryFailed, "english, for logs", std::nullopt, {}};
        world.usage->refresh();
        QVERIFY2(world.usage->leftOfLimit().contains(QStringLiteral("Nobody knows")),
            qPrintable(world.usage->leftOfLimit()));
        QVERIFY(!world.usage->leftOfLimit().contains(QLatin1Char('$')));
        QCOMPARE(world.usage->month().turns, QStringLiteral("0"));
        world.book.readFault.reset();
        world.usage->refresh();
        QVERIFY(world.usage->leftOfLimit().contains(QStringLiteral("$5.00")));
    }
};

QTEST_GUILESS_MAIN(UsageBookViewModelTest)
#include "test_usage_book_view_model.moc"
