#include "core/history/conversation_keeper.h"
#include "tests/support/fake_conversation_store.h"
#include "tests/support/manual_clock.h"

#include <QTest>

#include <memory>

using namespace vivavoce::core;
using namespace vivavoce::tests;
namespace notice = vivavoce::core::session_notice;

namespace {

class Told final : public Conversation {
public:
    void add(ConversationListener& listener) override { listeners.push_back(&listener); }
    void remove(ConversationListener& listener) override { std::erase(listeners, &listener); }
    void start() override {}
    void stop() override {}
    void say(std::string) override {}
    void interrupt() override {}
    void holdTalk(bool) override {}

    void tell(const SessionNotice& what)
    {
        for (ConversationListener* listener : std::vector(listeners)) {
            listener->conversationTold(what);
        }
    }
    std::vector<ConversationListener*> listeners;
};

class MemorySettings final : public SettingsStore {
public:
    [[nodiscard]] Settings load() const override
    {
        Settings settings;
        settings.keepsConversations = true;
        return settings;
    }
    Expected<void, Error> save(const Settings&) override { return {}; }
};

/// What it was asked for, in order: "record /sound/x.ogg", "pause", "go on", "finish".
class FakeRecorder final : public SoundRecorder {
public:
    void record(const std::string& path, SoundFormat, Failed told) override
    {
        asked += QStringLiteral("record ") + (path.ends_with(".wav") ? QStringLiteral("wav") : QStringLiteral("ogg"));
        failed = std::move(told);
    }
    void pause(bool isPaused) override { asked += isPaused ? QStringLiteral("pause") : QStringLiteral("go on"); }
    void finish(std::function<void()> told) override
    {
        asked += QStringLiteral("finish");
        done = std::move(told);
    }

    QStringList asked;
    Failed failed;
    std::function<void()> done;
};

struct World {
    World() { start(); }
    void start()
    {
        keeper = std::make_unique<ConversationKeeper>(ConversationKeeper::Dependencies{conversation, store, settings,
            clock, [this](const Error& error) { errors.push_back(error.code); }, &recorder,
            [this](bool isOn) { isRecording = isOn; }});
    }
    void recordSound(bool isOn)
    {
        Settings wanted = settings.current();
        wanted.recordsSound = isOn;
        static_cast<void>(settings.change(wanted));
    }
    [[nodiscard]] std::optional<Milliseconds> soundStart() const
    {
        return store.all.empty() ? std::nullopt : store.all.back().head.soundStart;
    }
    void keep(bool isOn)
    {
        Settings wanted = settings.current();
        wanted.keepsConversations = isOn;
        static_cast<void>(settings.change(wanted));
    }
    void phase(Phase phase) { conversation.tell(notice::PhaseChanged{phase}); }
    void activity(Activity activity) { conversation.tell(notice::ActivityChanged{activity}); }
    void line(const char* id, Speaker speaker, const char* text, const char* next = "", bool isFinal = true)
    {
        conversation.tell(notice::TranscriptChanged{{id, speaker, text, isFinal, false}, next});
    }
    /// Of the conversation kept last: "text|text".
    [[nodiscard]] QString kept() const
    {
        QStringList texts;
        if (!store.all.empty()) {
            for (const TranscriptLine& line : store.all.back().lines) {
                texts += QString::fromStdString(line.entry.text)
                    + (line.entry.wasInterrupted ? QStringLiteral("!") : QString());
            }
        }
        return texts.join(QLatin1Char('|'));
    }

    ManualClock clock;
    Told conversation;
    FakeConversationStore store;
    MemorySettings memory;
    LiveSettings settings{memory};
    std::vector<ErrorCode> errors;
    FakeRecorder recorder;
    bool isRecording = false;
    std::unique_ptr<ConversationKeeper> keeper;
};

} // namespace

class ConversationKeeperTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void eachLine_IsKeptWhenItIsSettled()
    {
        World world;
        world.phase(Phase::Live);
        world.line("q", Speaker::User, "When?");
        QCOMPARE(world.kept(), QStringLiteral("When?"));
        world.activity(Activity::Speaking);
        world.line("r", Speaker::Assistant, "At nine.");
        QCOMPARE(world.kept(), QStringLiteral("When?"));
        world.activity(Activity::Listening);
        QCOMPARE(world.kept(), QStringLiteral("When?|At nine."));
        QCOMPARE(world.store.puts, 2);
    }

    void nothing_IsKeptUnlessItIsWanted()
    {
        World world;
        world.keep(false);
        world.phase(Phase::Live);
        world.line("q", Speaker::User, "Between us");
        world.conversation.tell(notice::Ended{});
        world.keeper.reset();
        QCOMPARE(world.store.puts, 0);
    }

    void whatWasSaidBefore_IsNotKeptLater()
    {
        World world;
        world.keep(false);
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "Between us");
        world.keep(true);
        world.line("b", Speaker::User, "For the file");
        // It changes once more.
        world.line("a", Speaker::User, "Between us two");
        QCOMPARE(world.kept(), QStringLiteral("For the file"));
        world.keep(false);
        world.line("c", Speaker::User, "Between us again");
        QCOMPARE(world.kept(), QStringLiteral("For the file"));
    }

    void lineThatWasBegunBefore_IsNotKeptWhenItIsFinalLater()
    {
        World world;
        world.keep(false);
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "Between", "", false);
        world.activity(Activity::Speaking);
        world.line("r", Speaker::Assistant, "Only for you");
        world.keep(true);
        world.line("a", Speaker::User, "Between us");
        world.activity(Activity::Listening);
        QCOMPARE(world.store.puts, 0);
        world.line("b", Speaker::User, "For the file");
        QCOMPARE(world.kept(), QStringLiteral("For the file"));
    }

    void speechWithoutWordsYet_IsNotKeptWhenTheyComeLater()
    {
        World world;
        world.keep(false);
        world.phase(Phase::Live);
        world.clock.advance(Milliseconds{60'000});
        world.activity(Activity::HearingUser);
        world.keep(true);
        world.activity(Activity::Thinking);
        world.activity(Activity::HearingUser);
        world.activity(Activity::Thinking);
        world.line("a", Speaker::User, "Between us");
        QCOMPARE(world.store.puts, 0);
        world.line("b", Speaker::User, "For the file");
        QCOMPARE(world.kept(), QStringLiteral("For the file"));
    }

    void keepingThatIsOffForAMoment_IsOffForAllThatIsOpen()
    {
        World world;
        world.phase(Phase::Live);
        world.activity(Activity::HearingUser);
        world.line("a", Speaker::User, "For", "", false);
        // Nothing is told in between.
        world.keep(false);
        world.keep(true);
        world.line("a", Speaker::User, "For nobody");
        QCOMPARE(world.store.puts, 0);
    }

    void speechThatWaitsForTheConnection_IsNotKeptWhenItIsHeardLater()
    {
        World world;
        world.phase(Phase::Live);
        world.clock.advance(Milliseconds{60'000});
        world.phase(Phase::Waiting);
        world.keep(false);
        world.clock.advance(Milliseconds{2'000});
        world.keep(true);
        world.phase(Phase::Live);
        world.clock.advance(Milliseconds{500});
        world.activity(Activity::HearingUser);
        world.activity(Activity::Thinking);
        world.line("a", Speaker::User, "Between us");
        QCOMPARE(world.store.puts, 0);
        world.clock.advance(Milliseconds{5'000});
        world.activity(Activity::HearingUser);
        world.activity(Activity::Thinking);
        world.line("b", Speaker::User, "For the file");
        QCOMPARE(world.kept(), QStringLiteral("For the file"));
    }

    void whatWaitsWhenKeepingIsTurnedOff_IsNotKeptLater()
    {
        World world;
        world.phase(Phase::Live);
        world.store.fault = Error{ErrorCode::HistoryFailed, "full", std::nullopt, {}};
        world.line("a", Speaker::User, "one");
        world.store.fault.reset();
        world.keep(false);
        world.keep(true);
        world.conversation.tell(notice::Ended{});
        QVERIFY(world.store.all.empty());
    }

    void lateWords_AreKeptInTheirPlace()
    {
        World world;
        world.phase(Phase::Live);
        world.line("r", Speaker::Assistant, "two");
        world.activity(Activity::Speaking);
        world.line("s", Speaker::Assistant, "three");
        // What comes right behind it is not kept yet; what comes behind that is.
        world.line("typed_1", Speaker::User, "four");
        world.line("q", Speaker::User, "one", "r");
        world.line("p", Speaker::User, "two and a half", "s");
        QCOMPARE(world.kept(), QStringLiteral("one|two|two and a half|four"));
        world.activity(Activity::Listening);
        QCOMPARE(world.kept(), QStringLiteral("one|two|two and a half|three|four"));
    }

    void cutReply_IsKeptAsFarAsItWasHeard()
    {
        World world;
        world.phase(Phase::Live);
        world.activity(Activity::Speaking);
        world.line("r", Speaker::Assistant, "Once upon a time");
        world.activity(Activity::HearingUser);
        ConversationEntry cut{"r", Speaker::Assistant, "Once upon a time", true, true};
        cut.heardBytes = 4;
        world.conversation.tell(notice::TranscriptChanged{cut, ""});
        QCOMPARE(world.kept(), QStringLiteral("Once!"));
        cut.heardBytes = 0;
        world.conversation.tell(notice::TranscriptChanged{cut, ""});
        QCOMPARE(world.kept(), QString());
    }

    void removedLine_IsKeptNoLonger()
    {
        World world;
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "one");
        world.line("b", Speaker::User, "two");
        world.conversation.tell(notice::TranscriptRemoved{"a"});
        QCOMPARE(world.kept(), QStringLiteral("two"));
    }

    void removedLine_ThatCannotBeTakenBack_IsTriedAgain()
    {
        World world;
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "one");
        world.line("b", Speaker::User, "two");
        world.store.fault = Error{ErrorCode::HistoryFailed, "locked", std::nullopt, {}};
        world.conversation.tell(notice::TranscriptRemoved{"a"});
        QCOMPARE(world.errors.size(), std::size_t{1});
        world.store.fault.reset();
        // It is taken back whatever is wanted by now.
        world.keep(false);
        QCOMPARE(world.kept(), QStringLiteral("one|two"));
        world.conversation.tell(notice::Ended{});
        QCOMPARE(world.kept(), QStringLiteral("two"));
    }

    void lockedFile_IsTriedSeldom_AndNothingIsLostAtTheEnd()
    {
        World world;
        world.phase(Phase::Live);
        world.store.fault = Error{ErrorCode::HistoryFailed, "locked", std::nullopt, {}};
        world.line("a", Speaker::User, "one");
        QCOMPARE(world.store.puts, 1);
        for (int i = 0; i < 100; ++i) {
            world.line("r", Speaker::Assistant, "tw", "", false);
        }
        QCOMPARE(world.store.puts, 1);
        world.line("r", Speaker::Assistant, "two");
        world.clock.advance(Milliseconds{4'900});
        world.line("s", Speaker::Assistant, "thr", "", false);
        QCOMPARE(world.store.puts, 1);
        world.clock.advance(Milliseconds{200});
        world.line("s", Speaker::Assistant, "thre", "", false);
        QCOMPARE(world.store.puts, 2);
        // Nothing new has come to be kept since.
        world.clock.advance(Milliseconds{60'000});
        world.line("s", Speaker::Assistant, "three", "", false);
        QCOMPARE(world.store.puts, 2);
        world.store.fault.reset();
        world.conversation.tell(notice::Ended{});
        QCOMPARE(world.kept(), QStringLiteral("one|two|three!"));
    }

    void muchThatHasWaited_IsKeptAFewLinesAtATime()
    {
        World world;
        world.phase(Phase::Live);
        world.store.fault = Error{ErrorCode::HistoryFailed, "locked", std::nullopt, {}};
        for (int i = 0; i < 35; ++i) {
            world.line(("i" + std::to_string(i)).c_str(), Speaker::User, "x");
        }
        world.store.fault.reset();
        world.store.puts = 0;
        world.clock.advance(Milliseconds{5'000});
        world.activity(Activity::Thinking);
        QCOMPARE(world.store.puts, 10);
        world.activity(Activity::Listening);
        QCOMPARE(world.store.puts, 20);
        world.keeper.reset();
        QCOMPARE(world.store.puts, 35);
        QCOMPARE(world.store.all.back().lines.size(), std::size_t{35});
    }

    void whatCouldNotBeKeptAtTheEnd_IsTriedBeforeTheNextConversation()
    {
        World world;
        world.phase(Phase::Live);
        world.store.fault = Error{ErrorCode::HistoryFailed, "locked", std::nullopt, {}};
        world.line("a", Speaker::User, "one");
        world.conversation.tell(notice::Ended{});
        QCOMPARE(world.store.puts, 2);
        world.store.fault.reset();
        world.phase(Phase::FetchingToken);
        QCOMPARE(world.kept(), QStringLiteral("one"));
    }

    void fullDisk_IsToldOnce_AndCaughtUpWith()
    {
        World world;
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "one");
        world.store.fault = Error{ErrorCode::HistoryFailed, "full", std::nullopt, {}};
        world.line("b", Speaker::User, "two");
        world.line("c", Speaker::User, "three");
        QCOMPARE(world.errors, std::vector<ErrorCode>{ErrorCode::HistoryFailed});
        QCOMPARE(world.kept(), QStringLiteral("one"));
        world.store.fault.reset();
        world.clock.advance(Milliseconds{5'000});
        world.line("d", Speaker::User, "four");
        QCOMPARE(world.kept(), QStringLiteral("one|two|three|four"));
        world.store.fault = Error{ErrorCode::HistoryFailed, "full", std::nullopt, {}};
        world.line("e", Speaker::User, "five");
        QCOMPARE(world.errors.size(), std::size_t{2});
    }

    void eachConversation_IsOneOfItsOwn()
    {
        World world;
        world.phase(Phase::FetchingToken);
        world.line("a", Speaker::User, "one");
        world.conversation.tell(notice::Ended{});
        world.phase(Phase::FetchingToken);
        world.line("b", Speaker::User, "two");
        QCOMPARE(world.store.all.size(), std::size_t{2});
        QVERIFY(world.store.all[0].head.id != world.store.all[1].head.id);
        QCOMPARE(world.kept(), QStringLiteral("two"));
    }

    void conversationInWhichNothingIsSaid_IsNotKept()
    {
        World world;
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "");
        world.conversation.tell(notice::Ended{});
        QVERIFY(world.store.all.empty());
    }

    void sound_IsNotRecorded_UnlessSomebodyWantsThat()
    {
        World world;
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "one");
        world.conversation.tell(notice::Ended{});
        QVERIFY(world.recorder.asked.isEmpty());
        QVERIFY(world.store.sounds.empty());
        QVERIFY(!world.soundStart());
        // Nor without its words.
        world.keep(false);
        world.recordSound(true);
        world.phase(Phase::Live);
        world.line("b", Speaker::User, "two");
        world.conversation.tell(notice::Ended{});
        QVERIFY(world.recorder.asked.isEmpty());
        QVERIFY(!world.isRecording);
    }

    void sound_IsKeptWithTheFirstLine()
    {
        World world;
        world.recordSound(true);
        QVERIFY(!world.isRecording);
        world.phase(Phase::Connecting);
        QVERIFY(world.isRecording);
        QCOMPARE(world.recorder.asked, QStringList{QStringLiteral("record ogg")});
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "one");
        QCOMPARE(world.soundStart(), std::optional(Milliseconds{0}));
        world.conversation.tell(notice::Ended{});
        QVERIFY(!world.isRecording);
        QCOMPARE(world.recorder.asked.back(), QStringLiteral("finish"));
        QCOMPARE(world.store.sounds.size(), std::size_t{1});
        // The next one has a file of its own, over any number of connections.
        world.phase(Phase::Live);
        world.phase(Phase::Waiting);
        world.phase(Phase::Live);
        QCOMPARE(world.recorder.asked.count(QStringLiteral("record ogg")), 2);
    }

    void sound_BeginsWhenItIsTurnedOn_AndPausesWhenItIsTurnedOff()
    {
        World world;
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "one");
        QVERIFY(!world.soundStart());
        world.clock.advance(Milliseconds{5'000});
        world.recordSound(true);
        QVERIFY(world.isRecording);
        world.recordSound(false);
        QVERIFY(!world.isRecording);
        world.recordSound(true);
        world.keep(false);
        QVERIFY(!world.isRecording);
        world.keep(true);
        QCOMPARE(world.recorder.asked,
            (QStringList{QStringLiteral("record ogg"), QStringLiteral("pause"), QStringLiteral("go on"),
                QStringLiteral("pause"), QStringLiteral("go on")}));
        // No line came after it: it is kept all the same.
        world.conversation.tell(notice::Ended{});
        QCOMPARE(world.soundStart(), std::optional(Milliseconds{5'000}));
        QCOMPARE(world.store.sounds.size(), std::size_t{1});
    }

    void conversationWithoutLines_LeavesNoSound()
    {
        World world;
        world.recordSound(true);
        world.phase(Phase::Live);
        QCOMPARE(world.store.sounds.size(), std::size_t{1});
        world.conversation.tell(notice::Ended{});
        QVERIFY(world.recorder.done);
        QVERIFY2(!world.store.sounds.empty(), "not before it is closed");
        world.recorder.done();
        QVERIFY(world.store.sounds.empty());
    }

    void diskThatIsFull_EndsTheRecording_AndIsToldOnce()
    {
        World world;
        world.recordSound(true);
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "one");
        world.recorder.failed(Error{ErrorCode::RecordingFailed, "full", std::nullopt, {}});
        QVERIFY(!world.isRecording);
        QCOMPARE(world.errors, std::vector{ErrorCode::RecordingFailed});
        world.recordSound(false);
        world.recordSound(true);
        world.line("b", Speaker::User, "two");
        QCOMPARE(world.kept(), QStringLiteral("one|two"));
        QCOMPARE(world.recorder.asked, QStringList{QStringLiteral("record ogg")});
        world.conversation.tell(notice::Ended{});
        QCOMPARE(world.store.sounds.size(), std::size_t{1});
        QCOMPARE(world.errors.size(), std::size_t{1});
        world.store.soundFault = Error{ErrorCode::RecordingFailed, "no place", std::nullopt, {}};
        world.phase(Phase::Live);
        QVERIFY(!world.isRecording);
        QCOMPARE(world.errors.size(), std::size_t{2});
        world.line("c", Speaker::User, "three");
        QCOMPARE(world.kept(), QStringLiteral("three"));
        QVERIFY(!world.soundStart());
    }

    void conversationThatIsDeletedMeanwhile_GoesOnInAnotherFile()
    {
        World world;
        world.recordSound(true);
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "one");
        QVERIFY(world.store.removeAll().has_value());
        world.clock.advance(Milliseconds{3'000});
        world.line("b", Speaker::User, "two");
        QCOMPARE(world.kept(), QStringLiteral("two"));
        QCOMPARE(world.soundStart(), std::optional(Milliseconds{3'000}));
        QCOMPARE(world.recorder.asked,
            (QStringList{QStringLiteral("record ogg"), QStringLiteral("finish"), QStringLiteral("record ogg")}));
    }

    void fileOfADeletedConversation_ThatCannotBeClosed_IsNoMatterToTheNext()
    {
        World world;
        world.recordSound(true);
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "one");
        const SoundRecorder::Failed first = world.recorder.failed;
        QVERIFY(world.store.removeAll().has_value());
        world.line("b", Speaker::User, "two");
        first(Error{ErrorCode::RecordingFailed, "gone", std::nullopt, {}});
        QVERIFY(world.isRecording);
        QVERIFY(world.errors.empty());
        world.recordSound(false);
        QCOMPARE(world.recorder.asked.back(), QStringLiteral("pause"));
        world.recorder.failed(Error{ErrorCode::RecordingFailed, "full", std::nullopt, {}});
        QCOMPARE(world.errors.size(), std::size_t{1});
    }

    void soundOfACrash_IsDeletedAtTheNextStart()
    {
        World world;
        world.keeper.reset();
        world.store.sounds.insert("nobody's");
        world.start();
        QVERIFY(world.store.sounds.empty());
    }

    void damagedFile_CostsNeitherTheLineNorTheSound_AndIsTold()
    {
        World world;
        world.recordSound(true);
        world.phase(Phase::Live);
        world.store.damage = Error{ErrorCode::HistoryFailed, "damaged", std::nullopt, "history.set_aside"};
        world.line("a", Speaker::User, "one");
        QCOMPARE(world.errors, std::vector{ErrorCode::HistoryFailed});
        QCOMPARE(world.kept(), QStringLiteral("one"));
        QCOMPARE(world.soundStart(), std::optional(Milliseconds{0}));
        world.conversation.tell(notice::Ended{});
        QVERIFY2(!world.recorder.done, "nothing is to be deleted behind it");
        QCOMPARE(world.store.sounds.size(), std::size_t{1});
    }

    void wordsThatCannotBeWritten_LeaveTheirSound()
    {
        World world;
        world.recordSound(true);
        world.store.fault = Error{ErrorCode::HistoryFailed, "locked", std::nullopt, {}};
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "one");
        world.conversation.tell(notice::Ended{});
        QVERIFY2(!world.recorder.done, "nothing is to be deleted behind it");
        QCOMPARE(world.store.sounds.size(), std::size_t{1});
        QCOMPARE(world.store.keptSounds, world.store.sounds);
        // Nobody wants them kept any more.
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "two");
        world.keep(false);
        world.conversation.tell(notice::Ended{});
        QVERIFY(world.recorder.done);
        world.recorder.done();
        QCOMPARE(world.store.sounds, world.store.keptSounds);
    }

    void endOfTheProgram_KeepsWhatIsOpen()
    {
        World world;
        world.phase(Phase::Live);
        world.line("a", Speaker::User, "half a sen", "", false);
        QCOMPARE(world.kept(), QString());
        world.keeper.reset();
        QCOMPARE(world.kept(), QStringLiteral("half a sen!"));
        QVERIFY(world.conversation.listeners.empty());
    }
};

QTEST_GUILESS_MAIN(ConversationKeeperTest)
#include "test_conversation_keeper.moc"
