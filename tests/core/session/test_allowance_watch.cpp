#include "core/base/rfc3339.h"
#include "core/session/allowance_watch.h"
#include "core/usage/price_list.h"
#include "tests/support/manual_executor.h"

#include <QTest>

#include <limits>
#include <optional>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;
namespace notice = core::session_notice;

namespace {

constexpr Milliseconds kMinute{60'000};

/// A conversation that a person has set limits to.
struct World {
    explicit World(Allowance allowance, const std::string& model = "gpt-realtime",
        Expected<std::int64_t, Error> spentBefore = std::int64_t{0})
        : World(allowance, model, std::move(spentBefore), nullptr)
    {
    }
    /// At a moment.
    World(Allowance allowance, const std::string& model, Expected<std::int64_t, Error> spentBefore, const char* now)
        : spent(std::move(spentBefore)),
          watch({clock, executor, allowance,
              [this](Error error) {
                  ++ends;
                  ended = std::move(error);
              },
              [this] { return spent; }})
    {
        if (now != nullptr) {
            clock.jumpWall(std::chrono::duration_cast<Milliseconds>(*parseRfc3339(now) - clock.wallNow()));
        }
        mayBegin = watch.begin();
        notice::TokenChanged token{TokenNews::Acquired, "voice_1_abc"};
        token.model = model;
        watch.told(token);
        watch.told(notice::PhaseChanged{Phase::Live});
    }

    void activityIs(Activity activity) { watch.told(notice::ActivityChanged{activity}); }
    void isAskedAndAnswered()
    {
        activityIs(Activity::HearingUser);
        activityIs(Activity::Thinking);
        watch.told(notice::ReplyStarted{"resp"});
        activityIs(Activity::Speaking);
        watch.told(reply());
        activityIs(Activity::Listening);
    }
    static notice::ReplyUsage reply()
    {
        openai::Usage usage;
        usage.inputTokens = 1'000;
        usage.outputTokens = 1'000;
        usage.totalTokens = 2'000;
        return {"resp", usage};
    }
    static std::int64_t costOfReply()
    {
        return estimate("gpt-realtime", UsageTally::of(reply().usage)).value_or(Estimate{}).nanoDollars;
    }

    ManualClock clock;
    ManualExecutor executor{clock};
    int ends = 0;
    std::optional<Error> ended;
    /// In this month, as the book has it.
    Expected<std::int64_t, Error> spent;
    bool mayBegin = false;
    AllowanceWatch watch;
};

} // namespace

/// A spending limit, and what becomes of a conversation that nobody takes part in.
class AllowanceWatchTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void money_EndsItWithTheReplyThatUsedItUp()
    {
        World world({2 * World::costOfReply(), {}});
        world.isAskedAndAnswered();
        QCOMPARE(world.ends, 0);
        world.activityIs(Activity::Thinking);
        world.activityIs(Activity::Speaking);
        world.watch.told(World::reply());
        // It has been paid for, and is heard to its end.
        QCOMPARE(world.ends, 0);
        world.activityIs(Activity::Listening);
        QCOMPARE(world.ends, 1);
        QCOMPARE(world.ended->code, ErrorCode::BudgetExhausted);
        QVERIFY(QString::fromStdString(world.ended->detail).contains(QStringLiteral("spending limit of $")));
    }

    void money_ThatIsAlmostUsedUp_AllowsOneMoreTurnOnly()
    {
        World world({2 * World::costOfReply() - 1, {}});
        world.isAskedAndAnswered();
        QCOMPARE(world.ends, 0);
        world.isAskedAndAnswered();
        QCOMPARE(world.ends, 1);
    }

    void userWhoInterruptsTheLastReply_GetsNoOtherOne()
    {
        World world({1, {}});
        world.activityIs(Activity::Thinking);
        world.activityIs(Activity::Speaking);
        world.watch.told(World::reply());
        QCOMPARE(world.ends, 0);
        world.activityIs(Activity::HearingUser);
        QCOMPARE(world.ends, 1);
    }

    void replyThatFollowsTheLastOneAtOnce_IsNotHeard()
    {
        World world({1, {}});
        world.activityIs(Activity::Thinking);
        world.watch.told(World::reply());
        QCOMPARE(world.ends, 0);
        world.watch.told(notice::ReplyStarted{"resp_2"});
        QCOMPARE(world.ends, 1);
    }

    void transcription_IsPaidForAsWell()
    {
        // $0.017 a minute.
        World world({17'000'000, {}});
        world.watch.told(
            notice::TranscriptionUsage{"item", openai::TranscriptionDuration{30.0}, "gpt-live-transcribe"});
        QCOMPARE(world.ends, 0);
        world.watch.told(
            notice::TranscriptionUsage{"item", openai::TranscriptionDuration{30.0}, "gpt-live-transcribe"});
        QCOMPARE(world.ends, 1);
    }

    void transcriptionByTokens_IsPaidForAsWell()
    {
        // 2'500 for a token in, and 10'000 for one out.
        const openai::TranscriptionTokens tokens{100, 20, 120, openai::TokenCounts{10, 90, 0}};
        World world({900'000, {}});
        world.watch.told(notice::TranscriptionUsage{"item_1", tokens, "gpt-4o-transcribe"});
        QCOMPARE(world.ends, 0);
        world.watch.told(notice::TranscriptionUsage{"item_2", tokens, "gpt-4o-transcribe"});
        QCOMPARE(world.ends, 1);
    }

    void countsThatCannotBe_MakeNoMoneyLess_data()
    {
        constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
        QTest::addColumn<qint64>("count");
        QTest::addColumn<int>("ends");
        QTest::newRow("negative") << qint64{-1'000'000'000} << 0;
        QTest::newRow("huge") << qint64{kMost} << 1;
        QTest::newRow("half as huge") << qint64{kMost / 2} << 1;
        QTest::newRow("hugely negative") << qint64{-kMost} << 0;
    }
    void countsThatCannotBe_MakeNoMoneyLess()
    {
        QFETCH(qint64, count);
        QFETCH(int, ends);
        World world({2 * World::costOfReply(), {}});
        openai::Usage usage;
        usage.totalTokens = usage.inputTokens = usage.outputTokens = count;
        usage.inputDetails = openai::InputTokenDetails{0, {count, count, count}, std::nullopt};
        usage.outputDetails = openai::TokenCounts{count, count, 0};
        world.watch.told(notice::ReplyUsage{"resp", usage});
        QCOMPARE(world.ends, ends);
        world.isAskedAndAnswered();
        QCOMPARE(world.ends, ends);
        world.isAskedAndAnswered();
        QCOMPARE(world.ends, 1);
    }

    void modelByTheMinute_IsPaidForWhileItIsLive()
    {
        // $0.05 a minute.
        World world({100'000'000, {}}, "grok-voice-think-fast-1.0");
        world.executor.advance(kMinute);
        world.watch.told(notice::PhaseChanged{Phase::Waiting});
        world.executor.advance(60 * kMinute);
        world.watch.told(notice::PhaseChanged{Phase::Live});
        world.isAskedAndAnswered();
        QCOMPARE(world.ends, 0);
        world.executor.advance(kMinute);
        world.isAskedAndAnswered();
        QCOMPARE(world.ends, 1);
    }

    void modelByTheMinute_UsesItUpWhileNobodySaysAnything()
    {
        // $0.05 a minute.
        World world({100'000'000, {}}, "grok-voice-think-fast-1.0");
        world.executor.advance(2 * kMinute - Milliseconds{1});
        QCOMPARE(world.ends, 0);
        world.executor.advance(Milliseconds{1});
        QCOMPARE(world.ends, 1);
        QCOMPARE(world.ended->code, ErrorCode::BudgetExhausted);
        world.executor.advance(60 * kMinute);
        QCOMPARE(world.ends, 1);
    }

    void modelByTheMinute_IsPaidForOnlyWhileThereIsAConnection()
    {
        World world({100'000'000, {}}, "grok-voice-think-fast-1.0");
        world.executor.advance(kMinute);
        world.watch.told(notice::PhaseChanged{Phase::Waiting});
        world.executor.advance(60 * kMinute);
        world.watch.told(notice::PhaseChanged{Phase::Live});
        world.executor.advance(kMinute - Milliseconds{1});
        QCOMPARE(world.ends, 0);
        world.executor.advance(Milliseconds{1});
        QCOMPARE(world.ends, 1);
    }

    void modelByTheMinute_IsHeardToTheEndOfItsReply()
    {
        World world({100'000'000, {}}, "grok-voice-think-fast-1.0");
        world.activityIs(Activity::Thinking);
        world.activityIs(Activity::Speaking);
        world.executor.advance(3 * kMinute);
        QCOMPARE(world.ends, 0);
        world.activityIs(Activity::Listening);
        QCOMPARE(world.ends, 1);
    }

    void modelByTheMinute_UsesUpTheMonth_TogetherWithOthers()
    {
        World world({0, {}, 10'000'000'000}, "grok-voice-think-fast-1.0", std::int64_t{9'000'000'000});
        world.executor.advance(5 * kMinute);
        QCOMPARE(world.ends, 0);
        // Another conversation takes what was left for 15 minutes more.
        world.spent = 10'000'000'000;
        world.executor.advance(5 * kMinute);
        QCOMPARE(world.ends, 1);
        QCOMPARE(world.ended->code, ErrorCode::BudgetExhausted);
    }

    void noLimit_EndsNothing()
    {
        World world({});
        for (int turn = 0; turn < 100; ++turn) {
            world.isAskedAndAnswered();
        }
        world.executor.advance(24 * 60 * kMinute);
        QCOMPARE(world.ends, 0);
    }

    void modelThatNobodyKnowsThePriceOf_IsNoCheapOne()
    {
        const World limited({1'000'000'000, {}}, "house-model");
        QCOMPARE(limited.ends, 1);
        QCOMPARE(limited.ended->code, ErrorCode::BadConfiguration);
        const World free({0, kMinute}, "house-model");
        QCOMPARE(free.ends, 0);
    }

    void month_ThatIsUsedUp_BeginsNothing()
    {
        const World world({0, {}, 1'000}, "gpt-realtime", std::int64_t{1'000});
        QVERIFY(!world.mayBegin);
        QCOMPARE(world.ends, 1);
        QCOMPARE(world.ended->code, ErrorCode::BudgetExhausted);
        QVERIFY(QString::fromStdString(world.ended->detail).contains(QStringLiteral("for a month")));
        const World free({0, {}, 1'001}, "gpt-realtime", std::int64_t{1'000});
        QVERIFY(free.mayBegin);
        QCOMPARE(free.ends, 0);
    }

    void month_IsUsedUpByTheTurnThatIsHeardToItsEnd()
    {
        World world({0, {}, 2 * World::costOfReply()});
        world.isAskedAndAnswered();
        QCOMPARE(world.ends, 0);
        // The book cannot be written: it was spent all the same.
        world.activityIs(Activity::Thinking);
        world.activityIs(Activity::Speaking);
        world.watch.told(World::reply());
        QCOMPARE(world.ends, 0);
        world.activityIs(Activity::Listening);
        QCOMPARE(world.ends, 1);
        QCOMPARE(world.ended->code, ErrorCode::BudgetExhausted);
    }

    void month_CountsWhatOthersSpendMeanwhile()
    {
        World world({0, {}, 10 * World::costOfReply()});
        world.isAskedAndAnswered();
        QCOMPARE(world.ends, 0);
        world.spent = 10 * World::costOfReply();
        world.isAskedAndAnswered();
        QCOMPARE(world.ends, 1);
    }

    void newMonth_HasItsOwnLimit()
    {
        const std::int64_t limit = 2 * World::costOfReply();
        World world({0, {}, limit}, "gpt-realtime", limit - 1, "2027-01-31T23:59:00Z");
        world.executor.advance(2 * kMinute);
        world.spent = 0;
        world.isAskedAndAnswered();
        QCOMPARE(world.ends, 0);
        world.isAskedAndAnswered();
        QCOMPARE(world.ends, 1);
    }

    void newMonth_BeginsWithItsOwnMinutes()
    {
        // $0.05 a minute: two of them in January, then the six that February has.
        World world(
            {0, {}, 300'000'000}, "grok-voice-think-fast-1.0", std::int64_t{190'000'000}, "2027-01-31T23:58:00Z");
        world.executor.advance(2 * kMinute);
        QCOMPARE(world.ends, 0);
        world.spent = 0;
        world.executor.advance(6 * kMinute - Milliseconds{1});
        QCOMPARE(world.ends, 0);
        world.executor.advance(Milliseconds{1});
        QCOMPARE(world.ends, 1);
    }

    void month_OfWhichNobodyKnows_BeginsNothing()
    {
        const World world({0, {}, 1'000}, "gpt-realtime", fail(ErrorCode::HistoryFailed, "damaged"));
        QVERIFY(!world.mayBegin);
        QCOMPARE(world.ended->code, ErrorCode::BadConfiguration);
        QCOMPARE(world.ended->foreignCode, std::string("limits.month"));
        QVERIFY(world.ended->detail.find("damaged") != std::string::npos);
        const World unlimited({}, "gpt-realtime", fail(ErrorCode::HistoryFailed, "damaged"));
        QVERIFY(unlimited.mayBegin);
        QCOMPARE(unlimited.ends, 0);
    }

    void month_WithAModelThatHasNoPrice_IsAnError()
    {
        const World world({0, {}, 1'000'000'000}, "house-model");
        QCOMPARE(world.ends, 1);
        QCOMPARE(world.ended->code, ErrorCode::BadConfiguration);
    }

    void silence_EndsItAfterItsTime()
    {
        World world({0, 10 * kMinute});
        world.executor.advance(10 * kMinute - Milliseconds{1});
        QCOMPARE(world.ends, 0);
        world.executor.advance(Milliseconds{1});
        QCOMPARE(world.ends, 1);
        QCOMPARE(world.ended->code, ErrorCode::Cancelled);
        QCOMPARE(world.ended->detail, std::string("nobody has said anything for 10 min"));
        world.executor.advance(60 * kMinute);
        QCOMPARE(world.ends, 1);
    }

    void whoeverTakesPart_PutsItOff()
    {
        World world({0, 10 * kMinute});
        world.executor.advance(9 * kMinute);
        world.activityIs(Activity::HearingUser);
        world.activityIs(Activity::Thinking);
        // However long that is: it has deadlines of its own.
        world.executor.advance(60 * kMinute);
        world.activityIs(Activity::Listening);
        world.executor.advance(9 * kMinute);
        QCOMPARE(world.ends, 0);
        world.watch.told(notice::TranscriptChanged{});
        world.executor.advance(9 * kMinute);
        QCOMPARE(world.ends, 0);
        world.executor.advance(kMinute);
        QCOMPARE(world.ends, 1);
    }

    void connectionThatComesAndGoes_DoesNotPutItOff()
    {
        World world({0, 10 * kMinute});
        for (int minute = 0; minute < 9; ++minute) {
            world.executor.advance(kMinute);
            world.watch.told(notice::PhaseChanged{Phase::Waiting});
            world.watch.told(notice::PhaseChanged{Phase::Live});
        }
        QCOMPARE(world.ends, 0);
        world.executor.advance(kMinute);
        QCOMPARE(world.ends, 1);
    }

    void conversationThatIsOver_IsNotEndedAgain()
    {
        World world({0, 10 * kMinute});
        world.watch.told(notice::Ended{});
        world.executor.advance(60 * kMinute);
        QCOMPARE(world.ends, 0);
        QCOMPARE(world.executor.pendingTimers(), std::size_t{0});
    }
};

QTEST_GUILESS_MAIN(AllowanceWatchTest)
#include "test_allowance_watch.moc"
