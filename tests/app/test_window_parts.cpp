#include "app/window.h"
#include "tests/support/manual_clock.h"
#include "tests/ui/ui_fakes.h"

#include <QQuickWindow>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;
namespace notice = core::session_notice;

namespace {

/// A window on fakes, at a broker whose users sign in.
struct World {
    World()
    {
        core::Settings wanted;
        wanted.profile = core::Profile::Broker;
        wanted.brokerUrl = "https://voice.example";
        isThere = settings.change(wanted).has_value() && window.open();
    }
    template <typename Part>
    [[nodiscard]] Part* part(const char* name) const
    {
        return isThere ? qobject_cast<Part*>(window.quickWindow()->property(name).value<QObject*>()) : nullptr;
    }
    void refuse()
    {
        conversation.tell(notice::Ended{core::Error{core::ErrorCode::NotAuthorised, "", std::nullopt, {}}});
    }

    FakeConversation conversation;
    FakeVoiceControls voice;
    FakeDeviceCatalog devices;
    FakeSettingsStore store;
    core::LiveSettings settings{store};
    ManualClock clock;
    FakeAccount account;
    FakeConversationStore history;
    FakeTextFiles files;
    app::Window window{{conversation, voice, devices, settings, clock, account, history, files}};
    bool isThere = false;
};

} // namespace

/// What the pages have to do with one another.
class TestWindowParts : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whoeverSignsInAfterARefusal_SeesNoFailureAnyMore()
    {
        World world;
        const auto* const shell = world.part<ui::ShellViewModel>("shell");
        const auto* const talk = world.part<ui::ConversationViewModel>("conversation");
        QVERIFY(shell != nullptr && talk != nullptr);
        world.account.become(FakeAccount::Stage::SignedIn);
        // Those tokens are not known any more.
        world.refuse();
        QTRY_COMPARE(talk->voice(), ui::Voice::Failed);
        QCOMPARE(shell->connection(), ui::ShellViewModel::Bad);
        core::Settings other = world.settings.current();
        other.isMotionReduced = true;
        QVERIFY(world.settings.change(other).has_value());
        QCOMPARE(shell->connection(), ui::ShellViewModel::Bad);
        world.account.become(
            FakeAccount::Stage::Failed, core::Error{core::ErrorCode::NotAuthorised, "", std::nullopt, {}});
        QCOMPARE(shell->connection(), ui::ShellViewModel::Bad);
        world.account.become(FakeAccount::Stage::SignedIn);
        QCOMPARE(shell->connection(), ui::ShellViewModel::Off);
        QCOMPARE(talk->voice(), ui::Voice::Idle);
    }

    void talkOfTheAccount_BeginsAConversation()
    {
        World world;
        auto* const shell = world.part<ui::ShellViewModel>("shell");
        QVERIFY(shell != nullptr);
        Q_EMIT shell->talkWanted();
        QCOMPARE(world.conversation.starts, 1);
    }
};

QTEST_MAIN(TestWindowParts)
#include "test_window_parts.moc"
