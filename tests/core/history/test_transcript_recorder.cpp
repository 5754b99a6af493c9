#include "core/history/transcript_recorder.h"
#include "tests/support/manual_clock.h"

#include <QTest>

using namespace vivavoce::core;
using vivavoce::tests::ManualClock;
namespace notice = vivavoce::core::session_notice;

namespace {

class Story {
public:
    Story& after(int ms)
    {
        clock.advance(Milliseconds{ms});
        return *this;
    }
    Story& phase(Phase phase) { return tell(notice::PhaseChanged{phase}); }
    Story& activity(Activity activity) { return tell(notice::ActivityChanged{activity}); }
    Story& shows(ConversationEntry entry, const char* next = "")
    {
        return tell(notice::TranscriptChanged{std::move(entry), next});
    }
    Story& you(const char* id, const char* text, const char* next = "")
    {
        return shows({id, Speaker::User, text, true, false}, next);
    }
    Story& agent(const char* id, const char* text, bool isFinal = true)
    {
        return shows({id, Speaker::Assistant, text, isFinal, false});
    }
    Story& tell(const SessionNotice& what)
    {
        recorder.told(what);
        return *this;
    }
    /// "u 3000-4500 text | …"
    [[nodiscard]] QString lines() const
    {
        QStringList all;
        for (const TranscriptLine& line : recorder.transcript().lines) {
            all += QStringLiteral("%1 %2-%3 %4%5")
                       .arg(line.entry.speaker == Speaker::User ? QStringLiteral("u") : QStringLiteral("a"))
                       .arg(line.start.count())
                       .arg(line.end.count())
                       .arg(QString::fromStdString(std::string(line.entry.heardText())),
                           line.entry.wasInterrupted ? QStringLiteral("!") : QString());
        }
        return all.join(QStringLiteral(" | "));
    }

    ManualClock clock;
    TranscriptRecorder recorder{clock};
};

} // namespace

class TranscriptRecorderTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void spokenWords_HaveTheTimesOfTheSpeech()
    {
        Story story;
        story.phase(Phase::FetchingToken).after(1'000).phase(Phase::Live);
        story.after(500).activity(Activity::HearingUser).after(2'000).activity(Activity::Thinking);
        story.after(900).you("q", "What time is it?");
        QCOMPARE(story.lines(), QStringLiteral("u 1500-3500 What time is it?"));
        QVERIFY(story.recorder.startedAt() == WallTime{std::chrono::seconds{1'800'000'000}});
    }

    void keyThatWasOnlyTouched_LeavesTheNextWordsTheirTimes_data()
    {
        QTest::addColumn<Activity>("behind");
        QTest::newRow("nothing else goes on") << Activity::Listening;
        QTest::newRow("a reply is asked for") << Activity::Thinking;
        QTest::newRow("a function runs") << Activity::RunningTool;
    }
    void keyThatWasOnlyTouched_LeavesTheNextWordsTheirTimes()
    {
        QFETCH(Activity, behind);
        Story story;
        story.phase(Phase::Live).activity(Activity::HearingUser).after(120);
        story.tell(notice::SpeechStopped{Milliseconds{120}, true}).activity(behind);
        story.after(224).activity(Activity::HearingUser).after(4'538);
        story.tell(notice::SpeechStopped{}).activity(Activity::Thinking).after(300).you("q", "first");
        story.after(4'838).you("typed_1", "typed").after(12'000).activity(Activity::HearingUser).after(2'000);
        story.tell(notice::SpeechStopped{}).activity(Activity::Thinking).after(500).you("p", "second");
        QCOMPARE(story.lines(), QStringLiteral("u 344-4882 first | u 10020-10020 typed | u 22020-24020 second"));
    }

    void keyThatWasOnlyTouched_LeavesTheWordsBeforeItTheirTimes()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::HearingUser).after(1'000).tell(notice::SpeechStopped{});
        story.activity(Activity::Thinking).after(200).activity(Activity::HearingUser).after(50);
        story.tell(notice::SpeechStopped{Milliseconds{1'050}, true}).activity(Activity::Thinking).you("q", "late");
        QCOMPARE(story.lines(), QStringLiteral("u 0-1000 late"));
    }

    void keyThatIsHeldOverAReconnect_KeepsItsTimes()
    {
        Story story;
        story.phase(Phase::Live).after(500).activity(Activity::HearingUser).after(2'000).phase(Phase::Waiting);
        story.after(1'000).phase(Phase::Live).after(1'000).tell(notice::SpeechStopped{});
        story.activity(Activity::Thinking).after(300).you("q", "all of it").after(700);
        story.activity(Activity::HearingUser).after(400).tell(notice::SpeechStopped{}).activity(Activity::Thinking);
        story.you("p", "more");
        QCOMPARE(story.lines(), QStringLiteral("u 500-4500 all of it | u 5500-5900 more"));
    }

    void keyThatIsHeldOverAReconnect_KeepsItsPrivacy()
    {
        Story story;
        story.recorder.setPrivate(true);
        story.phase(Phase::Live).activity(Activity::HearingUser).after(2'000);
        story.recorder.setPrivate(false);
        story.after(1'000).phase(Phase::Waiting).after(60'000).phase(Phase::Live).after(8'000);
        story.tell(notice::SpeechStopped{}).activity(Activity::Thinking).after(300).you("q", "a secret");
        QVERIFY(story.recorder.isPrivate("q"));
        // And no more than that.
        story.after(60'000).activity(Activity::HearingUser).after(500).tell(notice::SpeechStopped{});
        story.activity(Activity::Thinking).you("p", "no secret");
        QVERIFY(!story.recorder.isPrivate("p"));
    }

    void speechThatTheNextConnectionNoticesAnew_IsOneTurn()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::HearingUser).after(1'000).phase(Phase::Waiting).after(1'000);
        story.phase(Phase::Live).activity(Activity::Listening).after(100).activity(Activity::HearingUser).after(900);
        story.tell(notice::SpeechStopped{}).activity(Activity::Thinking).you("q", "one").after(1'000);
        story.activity(Activity::HearingUser).after(500).tell(notice::SpeechStopped{}).activity(Activity::Thinking);
        story.you("p", "two");
        QCOMPARE(story.lines(), QStringLiteral("u 2100-3000 one | u 4000-4500 two"));
    }

    void turnThatGotNoWords_LeavesTheNextWordsTheirTimes()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::HearingUser).after(800).tell(notice::SpeechStopped{});
        story.activity(Activity::Thinking)
            .after(700)
            .agent("r", "Pardon?")
            .after(1'500)
            .activity(Activity::HearingUser);
        story.after(1'000).tell(notice::SpeechStopped{}).activity(Activity::Thinking).after(200).you("q", "again");
        QCOMPARE(story.lines(), QStringLiteral("a 1500-1500 Pardon? | u 3000-4000 again"));
    }

    void turnThatGotNoWords_AndWasPrivate_LeavesNoDoubt()
    {
        Story story;
        story.recorder.setPrivate(true);
        story.phase(Phase::Live).activity(Activity::HearingUser).after(800).tell(notice::SpeechStopped{});
        story.activity(Activity::Thinking).after(700).agent("r", "Pardon?");
        story.recorder.setPrivate(false);
        story.after(60'000).activity(Activity::HearingUser).after(1'000).tell(notice::SpeechStopped{});
        story.activity(Activity::Thinking).you("q", "again");
        QVERIFY(story.recorder.isPrivate("q"));
    }

    void wordsOfSomebodyWhoStillSpeaks_GoOnToTheirEnd()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::HearingUser).after(300);
        story.shows({"q", Speaker::User, "What", false, false}).after(700).you("q", "What time is it?");
        QCOMPARE(story.lines(), QStringLiteral("u 0-1000 What time is it?"));
        QCOMPARE(story.recorder.takeNews(), std::vector<std::string>{"q"});
        story.after(1'000).activity(Activity::Thinking);
        QCOMPARE(story.lines(), QStringLiteral("u 0-2000 What time is it?"));
        // What was written down before is to be written anew.
        QCOMPARE(story.recorder.takeNews(), std::vector<std::string>{"q"});
        story.after(1'000).activity(Activity::Listening);
        QCOMPARE(story.lines(), QStringLiteral("u 0-2000 What time is it?"));
    }

    void stallInTheMiddleOfSpeech_MakesNoSecondTurn()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::HearingUser).after(1'000).activity(Activity::Stalled);
        story.after(2'000).activity(Activity::HearingUser).after(500).tell(notice::SpeechStopped{});
        story.activity(Activity::Thinking).you("q", "one").after(1'000).activity(Activity::HearingUser).after(100);
        story.tell(notice::SpeechStopped{}).activity(Activity::Thinking).you("p", "two");
        QCOMPARE(story.lines(), QStringLiteral("u 0-3500 one | u 4500-4600 two"));
    }

    void typedWords_TakeNobodysSpeech()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::HearingUser).after(800).activity(Activity::Thinking).after(200);
        story.you("typed_1", "typed").after(100).you("q", "spoken");
        QCOMPARE(story.lines(), QStringLiteral("u 1000-1000 typed | u 0-800 spoken"));
    }

    void reply_IsSettledWhenItHasBeenHeard()
    {
        Story story;
        story.phase(Phase::Live).after(100).activity(Activity::Speaking).agent("r", "It is", false);
        story.after(100).agent("r", "It is nine.");
        QCOMPARE(story.lines(), QString());
        QVERIFY(story.recorder.takeNews().empty());
        story.after(3'000).activity(Activity::Listening);
        QCOMPARE(story.lines(), QStringLiteral("a 100-3200 It is nine."));
        QCOMPARE(story.recorder.takeNews(), std::vector<std::string>{"r"});
        QVERIFY(story.recorder.takeNews().empty());
    }

    void interruptedReply_GoesAsFarAsItWasHeard()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::Speaking).agent("r", "It is nine o'clock.");
        story.after(700).activity(Activity::HearingUser);
        QCOMPARE(story.recorder.takeNews(), std::vector<std::string>{"r"});
        ConversationEntry cut{"r", Speaker::Assistant, "It is nine o'clock.", true, true};
        cut.heardBytes = 5;
        story.shows(cut);
        QCOMPARE(story.lines(), QStringLiteral("a 0-700 It is!"));
        // What was written down before is to be written anew.
        QCOMPARE(story.recorder.takeNews(), std::vector<std::string>{"r"});
    }

    void writtenReply_IsSettledAtOnce()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::Thinking).agent("r", "In writing.");
        QCOMPARE(story.lines(), QStringLiteral("a 0-0 In writing."));
    }

    void lateWords_ComeBeforeTheReplyToThem()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::Thinking).agent("r", "Nine.").you("q", "When?", "r");
        QCOMPARE(story.lines(), QStringLiteral("u 0-0 When? | a 0-0 Nine."));
        QCOMPARE(story.recorder.settledAfter("q"), std::string("r"));
        QCOMPARE(story.recorder.settledAfter("r"), std::string());
    }

    void settledAfter_PassesOverWhatIsStillHeard()
    {
        Story story;
        story.phase(Phase::Live).you("typed_1", "one").activity(Activity::Speaking).agent("r", "two");
        story.you("typed_2", "three");
        QCOMPARE(story.recorder.settledAfter("typed_1"), std::string("typed_2"));
    }

    void lostConnection_LeavesOpenLinesInterrupted_AndHeardOnesAlone()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::Speaking).agent("r", "whole").agent("s", "hal", false);
        story.after(10).phase(Phase::Waiting);
        QCOMPARE(story.lines(), QStringLiteral("a 0-10 hal!"));
        story.after(990).activity(Activity::Listening);
        QCOMPARE(story.lines(), QStringLiteral("a 0-1000 whole | a 0-10 hal!"));
    }

    void end_SettlesWhatWasHeardToItsEnd()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::Speaking).agent("r", "Goodbye.").after(50).tell(notice::Ended{});
        QCOMPARE(story.lines(), QStringLiteral("a 0-50 Goodbye."));
    }

    void close_InTheMiddleOfAReply_CountsAsInterrupted()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::Speaking).agent("r", "Once upon a time").after(50);
        story.recorder.close();
        QCOMPARE(story.lines(), QStringLiteral("a 0-50 Once upon a time!"));
    }

    void removedLine_IsGone()
    {
        Story story;
        story.phase(Phase::Live).you("typed_1", "one").tell(notice::TranscriptRemoved{"typed_1"});
        QCOMPARE(story.lines(), QString());
        QVERIFY(story.recorder.takeNews().empty());
        QVERIFY(story.recorder.find("typed_1") == nullptr);
    }

    void wordsOfALostConnection_StayWhereTheyAreNotSaidAgain()
    {
        const ConversationEntry begun{"q", Speaker::User, "What ti", false, false};
        Story ended;
        ended.phase(Phase::Live).activity(Activity::HearingUser).after(5).shows(begun);
        ended.tell(notice::TranscriptRemoved{"q"}).phase(Phase::Waiting).tell(notice::Ended{});
        QCOMPARE(ended.lines(), QStringLiteral("u 0-5 What ti!"));

        Story again;
        again.phase(Phase::Live).activity(Activity::HearingUser).after(5).shows(begun);
        again.tell(notice::TranscriptRemoved{"q"}).phase(Phase::Waiting).phase(Phase::Live);
        again.you("p", "What time is it?").tell(notice::Ended{});
        QCOMPARE(again.lines(), QStringLiteral("u 5-5 What time is it?"));
    }

    void wordsThatWereNotMadeOut_AreNoLine()
    {
        Story story;
        story.phase(Phase::Live).activity(Activity::HearingUser).after(5).activity(Activity::Thinking).you("q", "");
        story.activity(Activity::HearingUser).after(5).activity(Activity::Thinking).you("p", "again");
        QCOMPARE(story.lines(), QStringLiteral("u 5-10 again"));
    }

    void model_IsTheTokens()
    {
        Story story;
        story.tell(notice::TokenChanged{
            TokenNews::Acquired, "voice_1", Milliseconds{1}, Milliseconds{1}, "openai", "gpt-realtime"});
        story.tell(notice::TokenChanged{TokenNews::Expired, "voice_1"});
        QCOMPARE(story.recorder.transcript().model, std::string("gpt-realtime"));
    }
};

QTEST_GUILESS_MAIN(TranscriptRecorderTest)
#include "test_transcript_recorder.moc"
