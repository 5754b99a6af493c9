#include "core/base/rfc3339.h"
#include "core/usage/usage_keeper.h"
#include "core/usage/utc_day.h"
#include "tests/support/fake_usage_book.h"
#include "tests/support/manual_clock.h"

#include <QTest>

#include <limits>
#include <memory>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;
namespace notice = core::session_notice;

namespace {

constexpr Milliseconds kMinute{60'000};

/// The prices of "m" change from one day to the next.
const PriceList& prices()
{
    static const PriceList list = PriceList::parse(R"({"prices":[
        {"model":"m","from":"2027-01-01","textIn":1,"cachedTextIn":0.1,"textOut":2,"audioIn":4,"cachedAudioIn":0.4,
         "audioOut":8,"imageIn":1,"cachedImageIn":0.1},
        {"model":"m","from":"2027-01-16","textIn":10,"cachedTextIn":1,"textOut":20,"audioIn":40,"cachedAudioIn":4,
         "audioOut":80,"imageIn":10,"cachedImageIn":1},
        {"model":"by-the-minute","from":"2027-01-01","minute":0.06},
        {"model":"scribe","from":"2027-01-02","minute":0.6},
        {"model":"scribe-tokens","from":"2027-01-03","textIn":1,"cachedTextIn":1,"textOut":2,"audioIn":4,
         "cachedAudioIn":4,"audioOut":8,"imageIn":1,"cachedImageIn":1}]})")
                                      .value_or(PriceList());
    return list;
}

struct World {
    explicit World(const std::string& model = "m", const std::string& broker = "https://voice.example")
    {
        clock.jumpWall(
            std::chrono::duration_cast<Milliseconds>(*parseRfc3339("2027-01-15T10:00:00Z") - clock.wallNow()));
        keeper = std::make_unique<UsageKeeper>(UsageKeeper::Dependencies{
            book, clock, broker, [this](const Error& error) { failures.push_back(error); }, prices()});
        useSession("voice_1", model);
        keeper->told(notice::PhaseChanged{Phase::Live});
    }
    void useSession(const std::string& id, const std::string& model) const
    {
        notice::TokenChanged token{TokenNews::Acquired, id};
        token.model = model;
        keeper->told(token);
    }
    void reply(const std::string& id) const
    {
        openai::Usage usage;
        usage.inputTokens = 300;
        usage.outputTokens = 60;
        usage.inputDetails = openai::InputTokenDetails{70, {100, 200, 0}, openai::TokenCounts{30, 40, 0}};
        usage.outputDetails = openai::TokenCounts{10, 50, 0};
        keeper->told(notice::ReplyUsage{id, usage});
    }
    [[nodiscard]] UsageSum sumOf(const std::string& day)
    {
        UsageQuery query;
        query.from = query.to = day;
        return book.sums(query)->front();
    }

    FakeUsageBook book;
    ManualClock clock;
    std::vector<Error> failures;
    std::unique_ptr<UsageKeeper> keeper;
};

/// Of World::reply with the first prices: 70 text, 160 speech, 30 and 40 from the cache; 10 and 50 out.
constexpr std::int64_t kCost = 70 * 1'000 + 30 * 100 + 160 * 4'000 + 40 * 400 + 10 * 2'000 + 50 * 8'000;

} // namespace

/// What is written down of a conversation, and when.
class UsageKeeperTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void turn_IsInTheBookBeforeTheNext()
    {
        World world;
        world.clock.advance(kMinute);
        world.reply("r1");
        const UsageFigures total = world.book.total();
        QCOMPARE(total.turns, 1);
        QCOMPARE(total.tokens.allIn(), 300);
        QCOMPARE(total.tokens.cachedIn(), 70);
        QCOMPARE(total.tokens.allOut(), 60);
        QCOMPARE(total.nanoDollars, kCost);
        QCOMPARE(total.connected.count(), 60'000);
        QCOMPARE(total.unpriced, 0);
        QCOMPARE(world.sumOf("2027-01-15").oldestPrices, std::string("2027-01-01"));
        for (const UsageRecord& record : world.book.all) {
            QCOMPARE(record.broker, std::string("https://voice.example"));
            QCOMPARE(record.session, std::string("voice_1"));
        }
    }

    void turnToldTwice_CountsOnce()
    {
        World world;
        world.reply("r1");
        world.reply("r1");
        world.reply("r2");
        QCOMPARE(world.book.total().turns, 2);
        QCOMPARE(world.book.total().nanoDollars, 2 * kCost);
    }

    /// The same name in another session is another turn; and what has no name is told once.
    void names_AreOfTheirSession()
    {
        World world;
        world.reply("r1");
        world.useSession("voice_2", "m");
        world.reply("r1");
        world.reply("");
        world.reply("");
        QCOMPARE(world.book.total().turns, 4);
    }

    void priceOfTheDay_Counts()
    {
        World world;
        world.reply("r1");
        world.clock.advance(24 * 60 * kMinute);
        world.reply("r2");
        QCOMPARE(world.sumOf("2027-01-15").figures.nanoDollars, kCost);
        QCOMPARE(world.sumOf("2027-01-16").figures.nanoDollars, 10 * kCost);
        QCOMPARE(world.sumOf("2027-01-16").newestPrices, std::string("2027-01-16"));
    }

    void timeOverMidnight_BelongsToBothDays()
    {
        World world("by-the-minute");
        // 10:00 to 23:59, and 2 minutes more.
        world.clock.advance(839 * kMinute);
        world.clock.advance(2 * kMinute);
        world.reply("r1");
        QCOMPARE(world.sumOf("2027-01-15").figures.connected.count(), 840 * kMinute.count());
        QCOMPARE(world.sumOf("2027-01-16").figures.connected.count(), kMinute.count());
        QCOMPARE(world.sumOf("2027-01-16").figures.nanoDollars, 60'000'000);
        world.clock.advance(kMinute);
        world.reply("r2");
        // Told as a whole, and counted once.
        QCOMPARE(world.sumOf("2027-01-16").figures.connected.count(), 2 * kMinute.count());
        QCOMPARE(world.book.total().connected.count(), 842 * kMinute.count());
    }

    void timeWithoutAConnection_IsNotCounted()
    {
        World world;
        world.clock.advance(kMinute);
        world.keeper->told(notice::PhaseChanged{Phase::Waiting});
        world.clock.advance(60 * kMinute);
        world.keeper->told(notice::PhaseChanged{Phase::Live});
        world.clock.advance(kMinute);
        world.keeper->told(notice::Ended{});
        QCOMPARE(world.book.total().connected.count(), 2 * kMinute.count());
    }

    void modelWithoutAPrice_IsCountedAsSuch()
    {
        World world("house-model");
        world.reply("r1");
        world.keeper->told(notice::TranscriptionUsage{"i1", openai::TranscriptionDuration{2}, "house-scribe"});
        QCOMPARE(world.book.total().tokens.allIn(), 300);
        QCOMPARE(world.book.total().nanoDollars, 0);
        QCOMPARE(world.book.total().unpriced, 2);
        QCOMPARE(world.sumOf("2027-01-15").newestPrices, std::string());
    }

    void agentOfThisComputer_CostsNothing()
    {
        World world("m", "");
        world.reply("r1");
        QCOMPARE(world.book.total().tokens.allIn(), 300);
        QCOMPARE(world.book.total().nanoDollars, 0);
        QCOMPARE(world.book.total().unpriced, 0);
    }

    void writingDown_IsPaidForInItsOwnWay()
    {
        World world;
        world.keeper->told(notice::TranscriptionUsage{"i1", openai::TranscriptionDuration{30}, "scribe"});
        QCOMPARE(world.book.total().transcription.time.count(), 30'000);
        QCOMPARE(world.book.total().nanoDollars, 300'000'000);
        openai::TranscriptionTokens tokens{100, 20, 120, openai::TokenCounts{10, 90, 0}};
        world.keeper->told(notice::TranscriptionUsage{"i2", tokens, "scribe-tokens"});
        QCOMPARE(world.book.total().transcription.tokens, 120);
        QCOMPARE(world.book.total().nanoDollars, 300'000'000 + 10 * 1'000 + 90 * 4'000 + 20 * 2'000);
        QCOMPARE(world.book.total().unpriced, 0);
        // Billed in another way than the list has it: nobody knows.
        world.keeper->told(notice::TranscriptionUsage{"i3", tokens, "scribe"});
        QCOMPARE(world.book.total().unpriced, 1);
        QCOMPARE(world.book.total().turns, 0);
    }

    void figuresBeyondAllMeasure_DoNotOverflow()
    {
        World world;
        openai::Usage usage;
        usage.inputTokens = std::numeric_limits<std::int64_t>::max();
        usage.outputTokens = -5;
        for (const char* id : {"r1", "r2", "r3"}) {
            world.keeper->told(notice::ReplyUsage{id, usage});
        }
        QCOMPARE(world.book.total().tokens.textIn, 30'000'000);
        QCOMPARE(world.book.total().tokens.textOut, 0);
        QVERIFY(world.book.total().nanoDollars > 0);
    }

    void bookThatCannotBeWritten_IsToldOnce_AndCaughtUpWith()
    {
        World world;
        world.book.writeFault = Error{ErrorCode::HistoryFailed, "full", std::nullopt, {}};
        world.reply("r1");
        world.reply("r2");
        QCOMPARE(world.failures.size(), std::size_t{1});
        // Nobody is held up at each turn.
        QCOMPARE(world.book.puts, 1);
        world.book.writeFault.reset();
        world.clock.advance(Milliseconds{5'000});
        world.reply("r3");
        QCOMPARE(world.book.total().turns, 3);
        QCOMPARE(world.book.total().nanoDollars, 3 * kCost);
    }

    void end_WritesWhatWaits()
    {
        World world;
        world.book.writeFault = Error{ErrorCode::HistoryFailed, "full", std::nullopt, {}};
        world.reply("r1");
        world.book.writeFault.reset();
        world.keeper->told(notice::Ended{});
        QCOMPARE(world.book.total().turns, 1);
        World dropped;
        dropped.clock.advance(kMinute);
        dropped.keeper.reset();
        QCOMPARE(dropped.book.total().connected.count(), kMinute.count());
    }

    /// Whoever fails at it when the program ends, has nobody to tell.
    void end_WritesNothingAnew()
    {
        World world;
        world.clock.advance(kMinute);
        world.keeper->told(notice::Ended{});
        QCOMPARE(world.book.total().connected.count(), kMinute.count());
        const int puts = world.book.puts;
        world.keeper.reset();
        QCOMPARE(world.book.puts, puts);
    }

    void costBesideAReply_IsNoTurn()
    {
        World world;
        world.reply("r1");
        openai::Usage more;
        more.inputTokens = 5;
        world.keeper->told(notice::ReplyUsage{"usage_1", more, false});
        QCOMPARE(world.book.total().turns, 1);
        QCOMPARE(world.book.total().tokens.allIn(), 305);
        QCOMPARE(world.book.total().nanoDollars, kCost + 5 * 1'000);
    }

    void month_IsOfItsDays()
    {
        World world;
        for (const char* day : {"2026-12-31", "2027-01-01", "2027-01-15"}) {
            UsageRecord record{"s", day, day, "https://voice.example", "m", {}, {}};
            record.figures.nanoDollars = 100;
            QVERIFY(world.book.put({record}).has_value());
        }
        QCOMPARE(spentInMonthOf(world.book, "2027-01-15").value_or(-1), 200);
        QCOMPARE(spentInMonthOf(world.book, "2026-12-31").value_or(-1), 100);
        QCOMPARE(spentInMonthOf(world.book, "2027-02-01").value_or(-1), 0);
        world.book.readFault = Error{ErrorCode::HistoryFailed, "", std::nullopt, {}};
        QVERIFY(!spentInMonthOf(world.book, "2027-01-15").has_value());
    }
};

QTEST_GUILESS_MAIN(UsageKeeperTest)
#include "test_usage_keeper.moc"
