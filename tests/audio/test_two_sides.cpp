#include "audio/internal/two_sides.h"

#include <QTest>

#include <algorithm>

using namespace vivavoce;
using audio::TwoSides;
using std::chrono::milliseconds;

namespace {

constexpr std::int64_t kFrame = 240;
/// From 48 to 24 kHz: in the sound worker both sides go that way, here the agent alone.
constexpr std::int64_t kWayDown = 128;

/// Two devices of 24 kHz, and a clock that the test moves.
struct Room {
    Room() : sides(std::move(*TwoSides::create(now))) {}

    [[nodiscard]] TwoSides::Devices devices() const
    {
        TwoSides::Devices made;
        if (hasMicrophone) {
            made.microphone = {insideMicrophone, latencyIn};
        }
        if (hasLoudspeaker) {
            made.loudspeaker = {0, latencyOut};
        }
        made.lag = lag;
        return made;
    }
    void change() { sides.change(devices(), now); }
    void take()
    {
        const auto piece = sides.take(devices(), now);
        user.insert(user.end(), static_cast<std::size_t>(piece.silence), 0);
        agent.insert(agent.end(), static_cast<std::size_t>(piece.silence), 0);
        for (std::size_t i = 0; i < piece.samples.size(); i += 2) {
            user.push_back(piece.samples[i]);
            agent.push_back(piece.samples[i + 1]);
        }
    }
    /// 10 ms of the devices that run; -1: that one gives nothing.
    void pass(int said = 0, int heard = 0)
    {
        now += milliseconds{10};
        if (hasMicrophone && said >= 0) {
            sides.said(std::vector<std::int16_t>(kFrame, static_cast<std::int16_t>(said)));
        }
        if (hasLoudspeaker && heard >= 0) {
            sides.heard(std::vector<std::int16_t>(2 * kFrame, static_cast<std::int16_t>(heard)));
        }
        take();
    }
    void passes(int times, int said, int heard)
    {
        for (int i = 0; i < times; ++i) {
            pass(said, heard);
        }
    }
    static std::ptrdiff_t firstLoud(const std::vector<int>& samples)
    {
        return std::find_if(samples.begin(), samples.end(), [](int sample) { return sample > 500; }) - samples.begin();
    }

    TwoSides::Time now{milliseconds{1'000'000}};
    bool hasMicrophone = true;
    bool hasLoudspeaker = true;
    std::int64_t insideMicrophone = 0;
    std::int64_t latencyIn = 0;
    std::int64_t latencyOut = 0;
    std::int64_t lag = 0;
    TwoSides sides;
    std::vector<int> user;
    std::vector<int> agent;
};

} // namespace

class TwoSidesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whatIsSaidOverAReply_LiesBesideIt()
    {
        Room room;
        room.change();
        room.passes(50, 0, 0);
        room.passes(50, 1'000, 1'000);
        const auto off = Room::firstLoud(room.user) - Room::firstLoud(room.agent);
        QVERIFY2(std::abs(off + kWayDown) <= 2, qPrintable(QString::number(off)));
        QVERIFY(Room::firstLoud(room.user) == 50 * kFrame);
        QCOMPARE(room.user.size(), std::size_t(100 * kFrame));
    }

    void agentIsPutWhereTheUserHearsIt()
    {
        Room room;
        room.latencyIn = 500;
        room.latencyOut = 1'000;
        room.lag = 300;
        room.change();
        room.passes(100, 0, 0);
        room.passes(100, 1'000, 1'000);
        Room plain;
        plain.change();
        plain.passes(100, 0, 0);
        plain.passes(100, 1'000, 1'000);
        const auto off = [](const Room& one) { return Room::firstLoud(one.agent) - Room::firstLoud(one.user); };
        QCOMPARE(off(room) - off(plain), std::ptrdiff_t{1'800});
    }

    void deviceThatIsClosed_IsSilenceOfTheSameLength()
    {
        Room room;
        room.change();
        room.passes(100, 1'000, 1'000);
        room.hasMicrophone = false;
        room.change();
        room.passes(100, 0, 1'000);
        room.hasMicrophone = true;
        room.change();
        room.passes(100, 1'000, 1'000);
        QCOMPARE(room.user.size(), std::size_t(300 * kFrame));
        QCOMPARE(std::count(room.user.begin(), room.user.end(), 0), std::ptrdiff_t(100 * kFrame) + 480);
        QVERIFY(std::all_of(room.user.begin() + 100 * kFrame, room.user.begin() + 200 * kFrame,
            [](int sample) { return sample == 0; }));
    }

    void timeWithoutAnyDevice_IsSilenceByTheClock()
    {
        Room room;
        room.hasMicrophone = room.hasLoudspeaker = false;
        room.change();
        room.now += milliseconds{3'000};
        room.take();
        QCOMPARE(room.user.size(), std::size_t{72'000});
        room.now += milliseconds{500};
        room.hasMicrophone = room.hasLoudspeaker = true;
        room.change();
        room.passes(10, 0, 0);
        QCOMPARE(room.user.size(), std::size_t{84'000 + 2'400});
    }

    void devicesThatTakeTheirTimeToBegin_CostNone()
    {
        Room room;
        room.latencyIn = 500;
        room.latencyOut = 1'000;
        room.hasMicrophone = room.hasLoudspeaker = false;
        room.change();
        room.now += milliseconds{1'000};
        room.hasMicrophone = room.hasLoudspeaker = true;
        room.change();
        for (int i = 0; i < 100; ++i) {
            room.now += milliseconds{10};
            room.take();
        }
        QCOMPARE(room.user.size(), std::size_t{48'000});
        room.passes(100, 1'000, 1'000);
        QCOMPARE(room.user.size(), std::size_t{72'000});
        QVERIFY(Room::firstLoud(room.user) <= 48'000 + 1'000);
    }

    void microphoneThatHoldsBack_ComesToItsPlace()
    {
        Room room;
        room.change();
        room.passes(100, 0, 0);
        // Three seconds that may be an echo, and turn out to be the user.
        for (int i = 0; i < 300; ++i) {
            room.insideMicrophone += kFrame;
            room.pass(-1, i == 0 ? 1'000 : 0);
        }
        room.insideMicrophone = 0;
        room.sides.said(std::vector<std::int16_t>(300 * kFrame, 2'000));
        room.passes(100, 0, 0);
        QCOMPARE(Room::firstLoud(room.user), std::ptrdiff_t(100 * kFrame));
        QCOMPARE(room.user.size(), std::size_t(500 * kFrame));
    }

    void deviceThatLosesSomething_IsMadeUpForWithinTwoSeconds()
    {
        Room room;
        room.change();
        room.passes(100, 0, 0);
        // 100 ms of the microphone are gone.
        room.passes(10, -1, 0);
        room.passes(300, 0, 0);
        room.passes(20, 1'000, 1'000);
        const auto off = Room::firstLoud(room.user) - Room::firstLoud(room.agent);
        QVERIFY2(std::abs(off + kWayDown) <= 2, qPrintable(QString::number(off)));
    }

    void deviceThatIsLateOnce_IsNotTakenForOneThatHasLostSomething()
    {
        Room room;
        room.change();
        room.passes(150, 0, 0);
        room.passes(30, -1, 1'000);
        room.sides.said(std::vector<std::int16_t>(30 * kFrame, 1'000));
        room.passes(100, 0, 0);
        QCOMPARE(Room::firstLoud(room.user), std::ptrdiff_t(150 * kFrame));
        QCOMPARE(room.user.size(), std::size_t(280 * kFrame));
    }

    void clocksThatDriftApart_StayTogether()
    {
        Room room;
        room.change();
        // 1,000 ppm: far more than devices do.
        for (int i = 0; i < 60'000; ++i) {
            room.pass(i % 6'000 == 5'999 ? 1'000 : 0, i % 6'000 == 5'999 ? 1'000 : 0);
            if (i % 4 == 0) {
                room.sides.heard(std::vector<std::int16_t>(2, 0));
            }
        }
        std::ptrdiff_t most = 0;
        for (int minute = 0; minute < 10; ++minute) {
            const auto from = (minute * 6'000 + 5'900) * kFrame;
            const auto loudIn = [&](const std::vector<int>& samples) {
                const auto to =
                    std::min<std::ptrdiff_t>(from + 300 * kFrame, static_cast<std::ptrdiff_t>(samples.size()));
                return std::find_if(samples.begin() + from, samples.begin() + to, [](int sample) {
                    return sample > 500;
                }) - samples.begin();
            };
            most = std::max(most, std::abs(loudIn(room.user) - loudIn(room.agent)));
        }
        QVERIFY2(most < 200, qPrintable(QString::number(most)));
    }

    void nothingOfBefore_IsWritten()
    {
        Room room;
        // 40 ms in the ring and the device.
        room.insideMicrophone = 2 * kFrame;
        room.latencyIn = 2 * kFrame;
        room.change();
        room.sides.said(std::vector<std::int16_t>(2 * kFrame, 1'000));
        room.insideMicrophone = 0;
        room.passes(2, 1'000, 0);
        QVERIFY(std::all_of(room.user.begin(), room.user.end(), [](int sample) { return sample == 0; }));
        room.passes(50, 2'000, 0);
        QVERIFY(*std::max_element(room.user.begin(), room.user.end()) == 2'000);
        QVERIFY(std::none_of(room.user.begin(), room.user.end(), [](int sample) { return sample == 1'000; }));
    }

    void whatIsSaidWhileItIsOff_IsSilence_AndTimeGoesOn()
    {
        Room room;
        room.change();
        room.passes(100, 1'000, 0);
        room.sides.pause(room.devices(), true);
        const std::size_t before = room.user.size();
        room.passes(200, 2'000, 2'000);
        QCOMPARE(room.user.size(), before);
        room.sides.pause(room.devices(), false);
        room.passes(100, 3'000, 0);
        QCOMPARE(room.user.size(), std::size_t(400 * kFrame));
        QVERIFY(std::none_of(room.user.begin(), room.user.end(), [](int sample) { return sample == 2'000; }));
        QVERIFY(std::none_of(room.agent.begin(), room.agent.end(), [](int sample) { return sample > 1'000; }));
        QVERIFY(std::count(room.user.begin(), room.user.end(), 3'000) >= 95 * kFrame);
    }

    void echoThatWasHeldBack_IsSilence()
    {
        Room room;
        room.change();
        room.sides.saidNothing(10 * kFrame);
        room.passes(10, -1, 0);
        room.passes(10, 1'000, 0);
        QCOMPARE(Room::firstLoud(room.user), std::ptrdiff_t(10 * kFrame) + 480);
    }
};

QTEST_APPLESS_MAIN(TwoSidesTest)
#include "test_two_sides.moc"
