#include "net/internal/signs_of_life.h"

#include <QTest>

using namespace std::chrono_literals;
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
