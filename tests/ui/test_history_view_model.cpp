#include "tests/ui/ui_fakes.h"
#include "ui/history/export_view_model.h"
#include "ui/history/history_view_model.h"

#include <QAbstractItemModelTester>
#include <QDir>
#include <QSignalSpy>
#include <QTest>

#include <tuple>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

constexpr auto kFatal = QAbstractItemModelTester::FailureReportingMode::Fatal;

core::TranscriptLine line(const char* id, const char* words, bool isUser = true)
{
    core::TranscriptLine made;
    made.entry = {id, isUser ? core::Speaker::User : core::Speaker::Assistant, words, true, false};
    made.start = core::Milliseconds{63'000};
    made.end = core::Milliseconds{65'900};
    return made;
}

struct World {
    void keep(const char* id, const char* words)
    {
        (void)store.put({id, core::WallTime{std::chrono::seconds{1'800'000'000}}, "m"}, line("q", words), {});
    }
    FakeConversationStore store;
    FakeSettingsStore memory;
    core::LiveSettings live{memory};
    /// Three lines at 1, 5 and 20 s, with sound from the first half second on.
    void keepWithSound(const char* id)
    {
        const core::ConversationHead head{id, core::WallTime{}, "m", core::Milliseconds{500}};
        (void)store.makeSound(id, core::SoundFormat::OggOpus);
        for (const auto& [item, at, isUser] :
            {std::tuple("q", 1'000, true), std::tuple("r", 5'000, false), std::tuple("t", 20'000, true)}) {
            core::TranscriptLine made = line(item, item, isUser);
            made.start = core::Milliseconds{at};
            made.end = core::Milliseconds{at + 2'000};
            (void)store.put(head, made, {});
        }
        history.open(QString::fromLatin1(id));
    }
    FakePlayer player;
    ui::HistoryViewModel history{{store, live, &player}};
    FakeTextFiles files;
    ui::ExportViewModel exporter{files};
};

core::Error broken()
{
    return {core::ErrorCode::HistoryFailed, "english, for logs", std::nullopt, {}};
}

} // namespace

class HistoryViewModelTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void models_AreModels()
    {
        World world;
        const QAbstractItemModelTester conversations(world.history.conversations(), kFatal);
        const QAbstractItemModelTester lines(world.history.lines(), kFatal);
        world.keep("one", "first\nwords");
        world.history.refresh();
        world.history.open(QStringLiteral("one"));
        const QModelIndex row = world.history.conversations()->index(0);
        QCOMPARE(row.data(ui::SavedConversationModel::Words).toString(), QStringLiteral("first words"));
        QCOMPARE(row.data(ui::SavedConversationModel::Detail).toString(), QStringLiteral("1:05 min · 1 line"));
        QCOMPARE(world.history.lines()->index(0).data(ui::SavedLineModel::At).toString(), QStringLiteral("1:03"));
        QCOMPARE(
            world.history.lines()->index(0).data(ui::SavedLineModel::Words).toString(), QStringLiteral("first\nwords"));
        world.history.close();
        QCOMPARE(world.history.lines()->count(), 0);
    }

    void speechOfAnHour_IsShownByItsBeginning()
    {
        World world;
        world.keep("one", ("begin " + std::string(1'000'000, 'w')).c_str());
        world.history.refresh();
        const QString shown =
            world.history.conversations()->index(0).data(ui::SavedConversationModel::Words).toString();
        QVERIFY(shown.startsWith(QStringLiteral("begin w")));
        QVERIFY(shown.size() <= 500);
    }

    void linesThatAreKeptMeanwhile_AreThereAtTheNextLook()
    {
        World world;
        world.history.refresh();
        QVERIFY(!world.history.hasAny());
        world.keep("one", "words");
        world.history.refresh();
        QVERIFY(world.history.hasAny());
        QCOMPARE(world.history.conversations()->count(), 1);
    }

    void search_OpensAtTheLineThatWasLookedFor()
    {
        World world;
        world.keep("one", "hello");
        const core::ConversationHead head{"one", core::WallTime{std::chrono::seconds{1'800'000'000}}, "m"};
        (void)world.store.put(head, line("r", "the weather", false), {});
        world.history.setWords(QStringLiteral("weath"));
        world.history.open(QStringLiteral("one"));
        QCOMPARE(world.history.foundRow(), 1);
        world.history.close();
        QCOMPARE(world.history.foundRow(), -1);
        world.history.setWords(QString());
        world.history.open(QStringLiteral("one"));
        QCOMPARE(world.history.foundRow(), -1);
    }

    void search_ThatFindsNothing_StillKnowsThatThereIsSomething()
    {
        World world;
        world.keep("one", "words");
        world.history.setWords(QStringLiteral("other"));
        QCOMPARE(world.history.conversations()->count(), 0);
        QVERIFY(world.history.hasAny());
    }

    void conversationThatIsGone_IsToldAndNotOpened()
    {
        World world;
        world.keep("one", "words");
        world.history.refresh();
        world.store.all.clear();
        world.history.open(QStringLiteral("one"));
        QVERIFY(!world.history.isOpen());
        QVERIFY(!world.history.fault().isEmpty());
        QCOMPARE(world.history.conversations()->count(), 0);
        world.history.refresh();
        QVERIFY(world.history.fault().isEmpty());
    }

    void deletion_IsAskedFor_AndHappensOnce()
    {
        World world;
        world.keep("one", "words");
        world.history.refresh();
        world.history.confirmDeletion();
        QCOMPARE(world.store.all.size(), std::size_t{1});
        world.history.askToDelete(QStringLiteral("unknown"));
        QVERIFY(world.history.question().isEmpty());
        world.history.askToDelete(QStringLiteral("one"));
        QVERIFY(world.history.question().contains(world.history.conversations()->whenOf(QStringLiteral("one"))));
        world.history.cancelDeletion();
        world.history.confirmDeletion();
        QCOMPARE(world.store.all.size(), std::size_t{1});
        world.history.askToDelete(QStringLiteral("one"));
        world.history.confirmDeletion();
        QVERIFY(world.store.all.empty());
        QVERIFY(!world.history.hasAny());
    }

    void deletionThatFails_IsTold_AndTheOneStaysOpen()
    {
        World world;
        world.keep("one", "words");
        world.history.open(QStringLiteral("one"));
        world.history.askToDeleteOpen();
        world.store.fault = broken();
        world.history.confirmDeletion();
        QVERIFY(!world.history.fault().isEmpty());
        QVERIFY(!world.history.fault().contains(QStringLiteral("english")));
        QVERIFY(world.history.isOpen());
        QVERIFY(world.history.question().isEmpty());
    }

    void deletionThatIsNotYetOverwritten_IsToldAsThat()
    {
        World world;
        world.keep("one", "words");
        world.keep("two", "words");
        world.history.refresh();
        world.history.open(QStringLiteral("one"));
        world.history.askToDeleteOpen();
        world.store.isRead = true;
        world.history.confirmDeletion();
        QVERIFY(world.history.fault().contains(QStringLiteral("not yet overwritten")));
        QVERIFY(!world.history.isOpen());
        QCOMPARE(world.history.conversations()->count(), 1);
        world.history.refresh();
        QVERIFY(world.history.fault().isEmpty());
    }

    void export_IsOfTheOneThatIsOpen()
    {
        World world;
        QSignalSpy wanted(&world.history, &ui::HistoryViewModel::exportWanted);
        world.history.exportOpen();
        QCOMPARE(wanted.count(), 0);
        world.keep("one", "words");
        world.history.open(QStringLiteral("one"));
        world.history.exportOpen();
        QCOMPARE(wanted.count(), 1);
        QCOMPARE(world.history.opened().lines.size(), std::size_t{1});
    }

    void exportedFile_HasTheFormatOfItsName()
    {
        World world;
        world.exporter.begin({core::WallTime{std::chrono::seconds{1'800'000'000}}, "m", {line("q", "words")}});
        QVERIFY(world.exporter.path().startsWith(QStringLiteral("/home/Vivavoce 2027-01-1")));
        QVERIFY(world.exporter.path().endsWith(QStringLiteral(".md")));
        world.exporter.setFormat(4);
        QVERIFY(world.exporter.path().endsWith(QStringLiteral(".vtt"))
            && !world.exporter.path().contains(QStringLiteral(".md")));
        world.exporter.setFormat(-1);
        world.exporter.setFormat(99);
        QCOMPARE(world.exporter.format(), 4);
        world.exporter.setPath(QStringLiteral("/home/Talk.SRT"));
        QCOMPARE(world.exporter.format(), 3);
        world.exporter.save();
        QVERIFY(world.exporter.isSaved());
        QVERIFY(world.files.all.at("/home/Talk.SRT").starts_with("1\n00:01:03,000 --> "));
    }

    void exportedFile_IsNotWrittenTwice()
    {
        World world;
        world.exporter.begin({core::WallTime{}, {}, {}});
        world.exporter.setPath(QStringLiteral("/home/a.txt"));
        world.exporter.save();
        world.files.all["/home/a.txt"] = "changed by somebody";
        world.exporter.save();
        QCOMPARE(world.files.all["/home/a.txt"], std::string("changed by somebody"));
        world.exporter.begin({core::WallTime{}, {}, {}});
        QVERIFY(!world.exporter.isSaved());
    }

    void existingFile_IsReplacedOnlyWhenThatIsSaidAgain()
    {
        World world;
        world.files.all["/home/a.txt"] = "mine";
        world.exporter.begin({core::WallTime{}, {}, {}});
        world.exporter.setPath(QStringLiteral("/home/a.txt"));
        world.exporter.save();
        QVERIFY(world.exporter.isReplacing());
        QCOMPARE(world.files.all["/home/a.txt"], std::string("mine"));
        world.exporter.setPath(QStringLiteral("/home/b.txt"));
        QVERIFY(!world.exporter.isReplacing());
        world.exporter.setPath(QStringLiteral("/home/a.txt"));
        world.exporter.save();
        QCOMPARE(world.files.all["/home/a.txt"], std::string("mine"));
        world.exporter.save();
        QVERIFY(world.files.all["/home/a.txt"].starts_with("Conversation of"));
    }

    void fileThatIsTypedShort_IsShownWhole()
    {
        World world;
        world.exporter.begin({core::WallTime{}, {}, {}});
        world.exporter.setPath(QStringLiteral("talk.txt"));
        world.exporter.save();
        QVERIFY(world.exporter.isSaved());
        QCOMPARE(world.exporter.path(), QStringLiteral("/home/talk.txt"));
        QVERIFY(world.files.all.contains("/home/talk.txt"));
        world.exporter.setPath(QStringLiteral("~/talk.txt"));
        world.exporter.save();
        QCOMPARE(world.exporter.path(), QDir::homePath() + QStringLiteral("/talk.txt"));
    }

    void folderThatIsNotThere_IsNamed()
    {
        World world;
        world.exporter.begin({core::WallTime{}, {}, {}});
        world.exporter.setPath(QStringLiteral("/no/such/folder/a.txt"));
        world.exporter.save();
        QCOMPARE(world.exporter.fault(), QStringLiteral("There is no folder /no/such/folder."));
        world.exporter.setPath(QStringLiteral("/a.txt"));
        world.exporter.save();
        QVERIFY(world.exporter.fault().startsWith(QStringLiteral("This could not be saved.")));
    }

    void whatCannotBeSaved_IsToldInWords()
    {
        World world;
        world.exporter.begin({core::WallTime{}, {}, {}});
        for (const char* path : {"/home/a.doc", "/nowhere/a.txt", ""}) {
            world.exporter.setPath(QString::fromLatin1(path));
            QVERIFY(world.exporter.fault().isEmpty());
            world.exporter.save();
            QVERIFY2(!world.exporter.fault().isEmpty(), path);
            QVERIFY(!world.exporter.isSaved());
        }
        world.files.isFull = true;
        world.exporter.setPath(QStringLiteral("/home/a.txt"));
        world.exporter.save();
        QVERIFY(!world.exporter.fault().isEmpty());
        world.files.isFull = false;
        world.exporter.save();
        QVERIFY(world.exporter.isSaved() && world.exporter.fault().isEmpty());
    }

    void line_IsPlayedFromWhereItWasSaid()
    {
        World world;
        world.keepWithSound("c");
        QVERIFY(world.history.hasSound() && world.history.canPlay() && !world.history.isPlaying());
        const auto* lines = world.history.lines();
        QVERIFY(lines->index(0).data(ui::SavedLineModel::HasSound).toBool());
        world.history.playFrom(1);
        QCOMPARE(world.player.played.back(), (std::pair(std::string("/sound/c"), core::Milliseconds{4'500})));
        QVERIFY(world.history.isPlaying());
        QVERIFY(lines->index(1).data(ui::SavedLineModel::IsHeard).toBool());
        QCOMPARE(world.history.playTime(), QStringLiteral("0:04 of 1:40"));
        // A user's line is known a little after it has begun.
        world.history.playFrom(2);
        QCOMPARE(world.player.played.back().second, core::Milliseconds{19'000});
        QCOMPARE(lines->heard(), 2);
        world.history.playFrom(0);
        QCOMPARE(world.player.played.back().second, core::Milliseconds{0});
        world.player.become({true, core::Milliseconds{4'600}, core::Milliseconds{100'000}, std::nullopt});
        QCOMPARE(lines->heard(), 1);
        // What is being heard stops where it is pressed again.
        const std::size_t before = world.player.played.size();
        world.history.playFrom(1);
        QCOMPARE(world.player.played.size(), before);
        QVERIFY(!world.history.isPlaying());
        QCOMPARE(lines->heard(), -1);
        world.history.playFrom(7);
        world.history.playFrom(-1);
        QCOMPARE(world.player.played.size(), before);
    }

    void playing_EndsWithWhatItIsOf()
    {
        World world;
        world.keepWithSound("c");
        world.history.playFrom(0);
        world.history.close();
        QVERIFY(!world.player.now.isPlaying);
        world.history.open(QStringLiteral("c"));
        world.history.playFrom(0);
        world.history.setTalking(true);
        QVERIFY(!world.player.now.isPlaying && !world.history.canPlay());
        world.history.playFrom(0);
        QVERIFY(!world.player.now.isPlaying);
        world.history.setTalking(false);
        world.history.playFrom(0);
        world.history.askToDeleteOpen();
        world.history.confirmDeletion();
        QVERIFY(!world.player.now.isPlaying && world.store.sounds.empty());
        // Where a line was said before the sound began, there is nothing to hear.
        world.keepWithSound("d");
        world.keep("e", "old");
        world.history.open(QStringLiteral("e"));
        QVERIFY(!world.history.hasSound());
        QVERIFY(!world.history.lines()->index(0).data(ui::SavedLineModel::HasSound).toBool());
    }

    void soundThatIsMissingOrDamaged_IsTold()
    {
        World world;
        world.keepWithSound("c");
        world.history.playFrom(0);
        world.player.become({false, {}, {}, core::Error{core::ErrorCode::InputNotAudio, "broken", std::nullopt, {}}});
        QVERIFY(world.history.fault().contains(QStringLiteral("damaged")));
        world.history.refresh();
        QVERIFY2(world.history.fault().isEmpty(), "once");
        world.history.playFrom(0);
        world.player.become(
            {false, {}, {}, core::Error{core::ErrorCode::SoundNoLoudspeaker, "none", std::nullopt, {}}});
        QVERIFY(world.history.fault().contains(QStringLiteral("loudspeaker")));
        world.store.sounds.clear();
        world.history.open(QStringLiteral("c"));
        QVERIFY(world.history.fault().contains(QStringLiteral("missing")));
        QVERIFY(!world.history.canPlay());
    }
};

QTEST_GUILESS_MAIN(HistoryViewModelTest)
#include "test_history_view_model.moc"
