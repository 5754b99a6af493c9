#include "tests/support/conversing_client.h"
#include "tests/support/manual_executor.h"
#include "tests/support/memory_use.h"
#include "tests/support/scripted_broker.h"
#include "tests/support/scripted_transports.h"

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Milliseconds kEachTurn{10'000};
constexpr Milliseconds kPatience{60'000};

/// A client, its broker and its provider, in a time that the test moves.
struct World {
    ManualClock clock;
    ManualExecutor executor{clock};
    ScriptedBroker broker{clock, {"ws://127.0.0.1:9/v1/realtime", seconds(60), seconds(48), false}};
    ScriptedBrokerClient http{broker, executor};
    ScriptedProviderLog provider;
    ScriptedTransports transports{
        executor, {hours(1), &clock}, provider, [this](auto token) { return broker.isGood(token); }};
    ConversingClient client{{http, transports, clock, executor, "http://127.0.0.1:9",
        std::make_shared<const Secret>("credential"), options()}};

    static SessionOptions options()
    {
        SessionOptions options;
        options.transcriptionModel = "scribe";
        return options;
    }
    template <typename Condition>
    [[nodiscard]] bool comesTo(Condition condition)
    {
        for (const MonotonicTime end = clock.now() + kPatience; clock.now() < end; executor.advance(Milliseconds{50})) {
            if (condition()) {
                return true;
            }
        }
        return false;
    }
};

} // namespace

/// A conversation that lasts for a day, in simulated time: two hours of it with the other tests, all of it by ./dev soak.
class SessionDayTest : public QObject {
    Q_OBJECT

    static void ask(World& world, int number)
    {
        number % 4 == 0 ? world.client.speak(number) : world.client.type(number);
    }
    /// What is wrong; empty: nothing. The network takes the connection away in the middle of it where `isDropped`.
    static std::string talk(World& world, int number, bool isDropped)
    {
        ask(world, number);
        if (isDropped) {
            world.executor.advance(Milliseconds{number % 5 * 200});
            world.transports.drop();
        }
        const bool isEndless = turnKind(number) == TurnKind::Endless;
        const auto isOver = [&] {
            return (isEndless && world.client.isBeingAnswered(number))
                || (world.client.isAnswered(number) && world.client.isWrittenDown(number) && world.client.isQuiet());
        };
        if (!world.comesTo(isOver)) {
            return "turn " + std::to_string(number) + ": is waited for without end: " + world.client.standing();
        }
        if (isEndless) {
            // Somebody who knows enough: the next question cuts it short.
            return {};
        }
        world.client.voice().fallSilent();
        for (const int one : {number - 1, number}) {
            if (one == number || turnKind(one) == TurnKind::Endless) {
                if (std::string fault = world.client.faultOf(one); !fault.empty()) {
                    return fault;
                }
            }
        }
        for (const auto& [call, times] : world.client.toolRuns) {
            if (times != 1) {
                return "function " + call + " ran " + std::to_string(times) + " times";
            }
        }
        world.client.forgetTurns();
        return {};
    }

private Q_SLOTS:
    void day_LosesAndDoublesNothing_MintsOncePerInterval_AndTakesNoMoreMemory()
    {
        const bool isSoak = qEnvironmentVariableIsSet("VV_SOAK");
        const Milliseconds length = isSoak ? hours(24) : hours(2);
        World world;
        const MonotonicTime begin = world.clock.now();
        FlatFigure allocated;
        FlatFigure resident;
        world.client.start();
        QVERIFY(world.comesTo([&] { return world.client.isQuiet(); }));

        int number = 0;
        int drops = 0;
        MonotonicTime dropAt = begin + minutes(30);
        MonotonicTime lookAt = begin + length / 100;
        while (world.clock.now() - begin < length) {
            const MonotonicTime next = world.clock.now() + kEachTurn;
            ++number;
            const bool isDropped = world.clock.now() >= dropAt;
            if (isDropped) {
                ++drops;
                dropAt += hours(1);
            }
            const std::string fault = talk(world, number, isDropped);
            QVERIFY2(fault.empty(), fault.c_str());
            if (world.clock.now() < next) {
                world.executor.advance(std::chrono::duration_cast<Milliseconds>(next - world.clock.now()));
            }
            if (world.clock.now() >= lookAt) {
                lookAt += length / 100;
                allocated.look(allocatedKiB());
                resident.look(residentKiB());
            }
        }
        qInfo(
            "%lld h, %d turns, %d hand-overs, %d losses, %d mints, %d renewals; allocated %ld KiB, then %ld; resident %ld KiB, then %ld",
            static_cast<long long>(std::chrono::duration_cast<hours>(length).count()), number, world.client.handOvers,
            world.client.losses, world.broker.mints, world.broker.renewals, allocated.before(), allocated.after(),
            resident.before(), resident.after());
        QVERIFY(world.client.handOvers >= length / hours(1) - 1);
        QCOMPARE(world.client.losses, drops);
        QCOMPARE(world.provider.sessions, 1 + drops + world.client.handOvers);
        QCOMPARE(world.transports.open(), 1);
        QCOMPARE(world.transports.refused, 0);
        QCOMPARE(world.broker.mints, 1);
        QCOMPARE(world.broker.early, 0);
        QVERIFY(world.broker.renewals <= length / seconds(48) * 10 / 9 + 1);
        QVERIFY(world.broker.refused.empty());
        QVERIFY(world.provider.doubled.empty());
        for (const std::string& code : world.provider.refused) {
            QVERIFY2(false, code.c_str());
        }
        // Numbers and ids get longer; eight bytes a turn would be 40.
        QVERIFY2(allocated.isFlat(32), "what is allocated grows");
        // In the first hours the heap itself still finds its size.
        QVERIFY2(!isSoak || resident.isFlat(0), "memory grows");
        world.client.stop();
        QVERIFY(world.comesTo([&] { return world.client.end().has_value(); }));
        QVERIFY(!world.client.end()->error);
    }
};

QTEST_GUILESS_MAIN(SessionDayTest)
#include "test_session_day.moc"
