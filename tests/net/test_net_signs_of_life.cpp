#include "net/internal/message_pace.h"
#include "net/internal/message_room.h"
#include "net/internal/signs_of_life.h"

#include <QTest>

#include <memory>

using namespace std::chrono_literals;
using vivavoce::net::MessagePace;
using vivavoce::net::MessageRoom;
using vivavoce::net::RoomShare;
using vivavoce::net::SignsOfLife;
using Verdict = SignsOfLife::Verdict;

namespace {

constexpr std::size_t kRoom = 1'000;
const SignsOfLife::Time kStart{};

SignsOfLife listening()
{
    SignsOfLife life(8s, kRoom, kStart);
    life.listen(kStart);
    return life;
}

} // namespace

class TestNetSignsOfLife : public QObject {
    Q_OBJECT

private slots:
    void silence_IsAskedAboutOnce_AndThenDeath()
    {
        SignsOfLife life = listening();
        QVERIFY(life.look(kStart + 3999ms) == Verdict::Fine);
        QVERIFY(life.look(kStart + 4s) == Verdict::AskForOne);
        QVERIFY(life.look(kStart + 5s) == Verdict::Fine);
        QVERIFY(life.look(kStart + 7999ms) == Verdict::Fine);
        QVERIFY(life.look(kStart + 8s) == Verdict::Dead);
    }

    void whatIsHeard_BeginsAnew()
    {
        SignsOfLife life = listening();
        QVERIFY(life.look(kStart + 4s) == Verdict::AskForOne);
        life.heard(kStart + 6s);
        QVERIFY(life.look(kStart + 9999ms) == Verdict::Fine);
        QVERIFY(life.look(kStart + 10s) == Verdict::AskForOne);
        QVERIFY(life.look(kStart + 14s) == Verdict::Dead);
    }

    void whoIsNotListenedTo_IsNotJudged()
    {
        SignsOfLife life = listening();
        life.stopListening();
        QVERIFY(life.look(kStart + 60s) == Verdict::Fine);
        life.listen(kStart + 60s);
        QVERIFY(life.look(kStart + 63s) == Verdict::Fine);
        QVERIFY(life.look(kStart + 68s) == Verdict::Dead);
    }

    /// At the end of a slow line pings wait behind what is being written.
    void whatThePeerTakes_IsASignOfLife_WhileMoreWaits()
    {
        SignsOfLife life = listening();
        life.hasTaken(10, true, kStart + 7s);
        QVERIFY(life.look(kStart + 8s) == Verdict::Fine);
        life.hasTaken(10, true, kStart + 14s);
        QVERIFY(life.look(kStart + 15s) == Verdict::Dead);
        // A ping of ours alone.
        life.hasTaken(12, false, kStart + 15s);
        QVERIFY(life.look(kStart + 15s) == Verdict::Dead);
    }

    void messageThatBegan_HasItsTime_AndNoLongPauses()
    {
        MessagePace pace(30s);
        QVERIFY(!pace.isTooSlow(kStart + 60s));
        for (int at = 0; at < 30; at += 9) {
            pace.came(kStart + std::chrono::seconds(at));
            QVERIFY(!pace.isTooSlow(kStart + std::chrono::seconds(at)));
        }
        QVERIFY(!pace.isTooSlow(kStart + 29'999ms));
        QVERIFY(pace.isTooSlow(kStart + 30s));
        pace.isWhole();
        QVERIFY(!pace.isTooSlow(kStart + 90s));
        pace.came(kStart + 90s);
        QVERIFY(!pace.isTooSlow(kStart + 99'999ms));
        QVERIFY(pace.isTooSlow(kStart + 100s));
    }

    void roomForLongMessages_IsSharedAndGivenBack()
    {
        const auto room = std::make_shared<MessageRoom>(100);
        RoomShare one(room);
        QVERIFY(one.resize(60));
        {
            RoomShare other(room);
            QVERIFY(other.resize(40));
            QVERIFY(!other.resize(41));
            QVERIFY(!one.resize(61));
            QVERIFY(one.resize(50));
            QVERIFY(other.resize(50));
        }
        QVERIFY(one.resize(100));
        QVERIFY(RoomShare(nullptr).resize(1'000));
    }

    void whatTheKernelMayStillHave_IsNoSignOfLife()
    {
        SignsOfLife life = listening();
        life.wrote(kRoom, kStart + 7s);
        QVERIFY(life.look(kStart + 8s) == Verdict::Dead);
        life.wrote(1, kStart + 8s);
        QVERIFY(life.look(kStart + 9s) == Verdict::Fine);
        // Counted from there on.
        life.wrote(kRoom, kStart + 15s);
        QVERIFY(life.look(kStart + 16s) == Verdict::Dead);
    }
};

QTEST_APPLESS_MAIN(TestNetSignsOfLife)
#include "test_net_signs_of_life.moc"
