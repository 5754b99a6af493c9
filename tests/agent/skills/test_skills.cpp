#include "agent/skills/rule_brain.h"
#include "tests/agent/skills/recording_sink.h"
#include "tests/support/manual_clock.h"

#include <QtTest/QtTest>

#include <cstdlib>
#include <ctime>

using namespace vivavoce;
using agent::DialogueItem;
using agent::skills::RuleBrain;

/// Every skill through the brain, as a user meets it.
class TestSkills : public QObject {
    Q_OBJECT

    tests::ManualClock m_clock;

    tests::RecordingSink ask(RuleBrain& brain, const QString& said, bool isCertain = true)
    {
        agent::BrainRequest request;
        request.items.push_back({DialogueItem::Kind::UserMessage, said.toStdString(), {}, {}, isCertain});
        tests::RecordingSink sink;
        if (!brain.reply(request, sink, {})) {
            sink.text = "failed";
        }
        return sink;
    }
    QString said(const QString& text)
    {
        RuleBrain brain(m_clock, 7);
        return QString::fromStdString(ask(brain, text).text);
    }

private slots:
    void initTestCase()
    {
        // 1'800'000'000 is Friday, 2027-01-15 08:00:00 UTC.
        qputenv("TZ", "UTC");
        tzset();
    }

    void reply_Question_GivesTheAnswer_data()
    {
        QTest::addColumn<QString>("said");
        QTest::addColumn<QString>("answer");
        const auto row = [](const char* said, const char* answer) { QTest::newRow(said) << said << answer; };
        for (const char* time :
            {"what time is it", "What's the time?", "tell me the time please", "do you have the time"}) {
            row(time, "It is eight o'clock in the morning.");
        }
        row("what's the date today", "Today is Friday, January fifteenth, twenty twenty seven.");
        row("what day of the week is it", "Today is Friday, January fifteenth, twenty twenty seven.");
        row("what day is tomorrow", "Tomorrow is Saturday, January sixteenth, twenty twenty seven.");
        row("what year is it", "It is twenty twenty seven.");
        row("what is twelve times seven", "That is eighty four.");
        row("What is 12 * 7?", "That is eighty four.");
        row("how much is ten minus twelve", "That is minus two.");
        row("two plus three times four", "That is fourteen.");
        row("what is to plus for", "That is six.");
        row("seven divided by two", "That is three point five.");
        row("one divided by three", "That is about zero point three three three.");
        row("calculate five divided by zero", "I cannot divide by zero.");
        row("what is twenty percent of fifty", "That is ten.");
        row("what is 20% of 50", "That is ten.");
        row("two to the power of ten", "That is one thousand and twenty four.");
        row("what is nine squared", "That is eighty one.");
        row("what is the square root of sixteen", "That is four.");
        row("what is the square root of minus four", "A negative number has no real square root.");
        row("zero point one plus zero point two", "That is zero point three.");
        row("convert five miles to kilometers", "Five miles are about eight point zero five kilometers.");
        row("how many feet are in one mile", "One mile is five thousand two hundred and eighty feet.");
        row("how many inches are in a foot", "One foot is twelve inches.");
        row("convert one hundred degrees celsius to fahrenheit",
            "One hundred degrees celsius are two hundred and twelve degrees fahrenheit.");
        row("what is 20 degrees celsius in fahrenheit", "Twenty degrees celsius are sixty eight degrees fahrenheit.");
        row("convert minus five hundred degrees celsius to kelvin", "That is below absolute zero.");
        row("how many minutes are in two hours", "Two hours are one hundred and twenty minutes.");
        row("convert ten pounds to kilograms", "Ten pounds are about four point five four kilograms.");
        row("convert three gallons to liters", "Three gallons are about eleven point three six liters.");
        row("convert one hundred kilometers per hour to miles per hour",
            "One hundred kilometers per hour are about sixty two point one four miles per hour.");
        row("spell cat", "Cat: C, A, T.");
        row("how do you spell the word dog", "Dog: D, O, G.");
        row("spell", "Which word shall I spell?");
        row("repeat that", "I have not said anything yet.");
        row("hello", "Hello! What can I do for you?");
        row("how are you", "I am fine, thank you. What can I do for you?");
        row("thank you", "You are welcome.");
        row("goodbye", "Goodbye!");
        row("stop", "Okay.");
        row("never mind", "Okay.");
        row("set a timer", "For how long? You can say: set a timer for five minutes.");
        row("set a timer for five minutes", "I set a timer for five minutes.");
        row("set a timer for for minutes", "I set a timer for four minutes.");
        row("set a five minute timer", "I set a timer for five minutes.");
        row("start a timer for one hour and thirty minutes", "I set a timer for one hour and thirty minutes.");
        row("set a timer for half an hour", "I set a timer for thirty minutes.");
        row("set a timer for an hour and a half", "I set a timer for one hour and thirty minutes.");
        row("remind me in ten seconds", "I set a timer for ten seconds.");
        row("set a timer for zero seconds", "A timer needs at least one second.");
        row("set a timer for nine hundred hours", "I can keep timers up to twenty four hours.");
        row("cancel the timer", "There is no timer running.");
        row("", "I did not hear any words. Please say that again.");
    }

    void reply_Question_GivesTheAnswer()
    {
        QFETCH(QString, said);
        QFETCH(QString, answer);
        QCOMPARE(this->said(said), answer);
    }

    void reply_NotUnderstood_SaysWhatItHeardAndOffersExamples_data()
    {
        QTest::addColumn<QString>("said");
        for (const char* text : {"the purple fish swims upwards", "what is love", "convert five miles to kilograms",
                 "between you and me", "seven", "what time is it in tokyo"}) {
            QTest::newRow(text) << text;
        }
    }

    void reply_NotUnderstood_SaysWhatItHeardAndOffersExamples()
    {
        QFETCH(QString, said);
        const QString answer = this->said(said);
        QVERIFY2(answer.startsWith("I heard: " + said + "."), qPrintable(answer));
        QVERIFY(answer.contains("for example"));
    }

    void reply_RandomChoices_AreAmongWhatWasAsked()
    {
        RuleBrain brain(m_clock, 1);
        QSet<QString> coins;
        QSet<QString> numbers;
        QSet<QString> drinks;
        for (int i = 0; i < 60; ++i) {
            coins << QString::fromStdString(ask(brain, "flip a coin").text);
            numbers << QString::fromStdString(ask(brain, "pick a number between one and three").text);
            drinks << QString::fromStdString(ask(brain, "choose between tea and coffee").text);
        }
        QCOMPARE(coins, (QSet<QString>{"Heads.", "Tails."}));
        QCOMPARE(numbers, (QSet<QString>{"I pick one.", "I pick two.", "I pick three."}));
        QCOMPARE(drinks, (QSet<QString>{"I choose tea.", "I choose coffee."}));
        QVERIFY(ask(brain, "roll two dice").text.find("Together") != std::string::npos);
    }

    void reply_SameSeed_GivesTheSameChoices()
    {
        RuleBrain one(m_clock, 42);
        RuleBrain two(m_clock, 42);
        for (int i = 0; i < 20; ++i) {
            QCOMPARE(ask(one, "roll a die").text, ask(two, "roll a die").text);
        }
    }

    void timers_RunListAndCancel_AreTold()
    {
        RuleBrain brain(m_clock, 1);
        ask(brain, "set a timer for five minutes");
        const auto reminders = brain.takeReminders().made;
        QCOMPARE(reminders.size(), std::size_t(1));
        QCOMPARE(reminders[0].in.count(), 300'000);
        QCOMPARE(reminders[0].text, std::string("Your timer for five minutes is up."));
        QVERIFY(brain.takeReminders().made.empty());
        m_clock.advance(core::Milliseconds{60'000});
        QCOMPARE(ask(brain, "how much time is left").text,
            std::string("There are four minutes on the timer for five minutes."));
        QCOMPARE(ask(brain, "cancel the timer").text, std::string("I cancelled the timer."));
        QCOMPARE(ask(brain, "list my timers").text, std::string("There is no timer running."));
        QCOMPARE(brain.takeReminders().withdrawn, std::vector{reminders[0].id});
    }

    void timer_ThatIsUp_CancelledBeforeItWasTold_IsWithdrawn()
    {
        RuleBrain brain(m_clock, 1);
        ask(brain, "set a timer for five minutes");
        ask(brain, "set a timer for ten minutes");
        const auto made = brain.takeReminders().made;
        m_clock.advance(core::Milliseconds{300'000});
        QCOMPARE(ask(brain, "cancel the timer").text, std::string("I cancelled the timer."));
        QCOMPARE(brain.takeReminders().withdrawn, (std::vector{made[0].id, made[1].id}));
    }

    void style_SlowerAndLouder_GoToTheSinkUntilTheLimit()
    {
        RuleBrain brain(m_clock, 1);
        QVERIFY(ask(brain, "speak slower").style.rate < 1.0);
        QVERIFY(ask(brain, "louder please").style.gain > 1.0);
        for (int i = 0; i < 10; ++i) {
            ask(brain, "speak slower");
        }
        QCOMPARE(ask(brain, "speak slower").text, std::string("I cannot speak slower than this."));
        const auto normal = ask(brain, "speak normally").style;
        QCOMPARE(normal.rate, 1.0);
        QCOMPARE(normal.gain, 1.0);
    }

    void repeat_AfterAnAnswer_SaysItAgain()
    {
        RuleBrain brain(m_clock, 1);
        const std::string answer = ask(brain, "what is two plus two").text;
        QCOMPARE(ask(brain, "repeat that please").text, answer);
        QCOMPARE(ask(brain, "say that again").text, answer);
    }

    void reply_UncertainWeakTimerWords_DoNotSetOne()
    {
        RuleBrain brain(m_clock, 1);
        ask(brain, "timer five minutes", false);
        QVERIFY(brain.takeReminders().made.empty());
    }

    void reply_TwoQuestionsJoinedByAnd_AreBothAnswered()
    {
        const QString answer = said("what is two plus two and then spell cat");
        QVERIFY2(answer.contains("That is four.") && answer.contains("C, A, T"), qPrintable(answer));
    }
};

QTEST_GUILESS_MAIN(TestSkills)
#include "test_skills.moc"
