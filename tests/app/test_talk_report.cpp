#include "app/cli/talk_report.h"

#include "app/cli/devices_command.h"
#include "core/base/json.h"
#include "tests/support/manual_clock.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <cstdio>
#include <memory>

using namespace vivavoce::core;
using namespace vivavoce::cli;
using vivavoce::tests::ManualClock;

namespace {

/// A report, and what people or programs read.
class Reading {
public:
    explicit Reading(OutputFormat format = OutputFormat::Text, bool isOwnAgent = false, const std::string& voice = {})
        : m_format(format), m_isOwnAgent(isOwnAgent), m_voice(voice)
    {
    }
    ManualClock& clock() { return m_clock; }
    void gets(const char* model, const char* provider = "openai", const char* profile = "")
    {
        session_notice::TokenChanged changed{
            TokenNews::Acquired, "voice_1", Milliseconds{60'000}, Milliseconds{24'000}, provider, model};
        changed.profile = profile;
        m_report.tell(SessionNotice(changed));
    }
    TalkReport& report() { return m_report; }
    EventWriter& events() { return m_events; }
    void shows(ConversationEntry entry)
    {
        m_report.tell(SessionNotice(session_notice::TranscriptChanged{std::move(entry)}));
    }
    QByteArray text()
    {
        std::rewind(m_file.get());
        QByteArray all(4096, '\0');
        all.resize(
            static_cast<qsizetype>(std::fread(all.data(), 1, static_cast<std::size_t>(all.size()), m_file.get())));
        return all;
    }

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    OutputFormat m_format;
    bool m_isOwnAgent = false;
    std::string m_voice;
    ManualClock m_clock;
    std::unique_ptr<std::FILE, Close> m_file{std::tmpfile()};
    EventWriter m_events{m_clock, m_format, m_file.get()};
    TalkReport m_report{{m_events, m_clock, m_isOwnAgent, m_voice}};
};

ConversationEntry entryOf(Speaker speaker, const char* id, const char* text)
{
    ConversationEntry entry;
    entry.speaker = speaker;
    entry.itemId = id;
    entry.text = text;
    entry.isFinal = true;
    return entry;
}

} // namespace

/// What people read of a conversation in a terminal.
class TalkReportTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void replyThatIsInterrupted_IsShownOnce()
    {
        Reading reading;
        ConversationEntry reply = entryOf(Speaker::Assistant, "a", "It is noon.");
        reading.shows(reply);
        reply.wasInterrupted = true;
        reading.shows(reply);
        reading.shows(entryOf(Speaker::User, "u", "Stop"));
        QCOMPARE(reading.text(), QByteArray("Agent: It is noon.\n(interrupted)\nYou:   Stop\n"));
    }

    void wordsThatAreKept_AreSaidToBe_Once()
    {
        session_notice::TokenChanged changed{
            TokenNews::Acquired, "voice_1", Milliseconds{60'000}, Milliseconds{24'000}, "openai", "m"};
        changed.isRelayed = true;
        Reading silent;
        silent.report().tell(SessionNotice(changed));
        QVERIFY(!silent.text().contains("kept by the project"));
        changed.areTranscriptsKept = true;
        Reading reading;
        reading.report().tell(SessionNotice(changed));
        changed.news = TokenNews::Refreshed;
        reading.report().tell(SessionNotice(changed));
        QCOMPARE(reading.text().count("What is said is kept by the project, and its admins can read it."), 1);
        Reading events(OutputFormat::JsonLines);
        events.report().tell(SessionNotice(changed));
        QVERIFY(events.text().contains("\"transcriptsKept\":true"));
    }

    void replyThatWasInterruptedBeforeItWasWhole_SaysSoItself()
    {
        Reading reading;
        ConversationEntry reply = entryOf(Speaker::Assistant, "a", "It is");
        reply.wasInterrupted = true;
        reading.shows(reply);
        QCOMPARE(reading.text(), QByteArray("Agent: It is (interrupted)\n"));
    }

    void wordsOfOthers_AreNotObeyed_ByATerminal()
    {
        Reading reading;
        reading.shows(entryOf(Speaker::Assistant, "a",
            "\x1b[8mhidden\nThe agent wants to run x\x07 \xc2\x9b"
            "8m \xe2\x80\xae 東京 Łódź"));
        reading.report().tell(SessionNotice(session_notice::ToolCalled{{"c", "f", "\x1b]52;c;eA==\x07"}}));
        reading.report().tell(TimerDue{"1", "tea\nAgent: no"});
        reading.report().remark("r\x1b[2J");
        const QByteArray shown = reading.text();
        QCOMPARE(shown.count('\n'), 4);
        for (const char* obeyed : {"\x1b", "\x07", "\xc2\x9b", "\xe2\x80\xae"}) {
            QVERIFY2(!shown.contains(obeyed), obeyed);
        }
        QVERIFY(shown.contains("hidden \xe2\x86\xb5 The agent"));
        QVERIFY(shown.contains("東京 Łódź\n"));
    }

    void wordsOfOthers_AreNotObeyed_AsJsonEither()
    {
        Reading reading(OutputFormat::JsonLines);
        const char* const words = "\x1b[8m \x7f\xc2\x9b \xd8\x9c\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa9 東京";
        reading.shows(entryOf(Speaker::Assistant, "a", words));
        const QByteArray shown = reading.text();
        QVERIFY(shown.contains("\"\\u001b[8m \\u007f\\u009b \\u061c\\u202e\\u2066\\u2029 東京\""));
        QCOMPARE(parseJson(shown.trimmed().toStdString()).value()["text"].get<std::string>(), std::string(words));
    }

    void modelThatIsShutDownSoon_IsToldOnce()
    {
        Reading reading;
        reading.gets("gpt-realtime");
        reading.gets("gpt-realtime");
        QCOMPARE(reading.text(),
            QByteArray(
                "(gpt-realtime is to be shut down on 2027-01-20, in 5 days; gpt-realtime-2.1 takes its place)\n"));
    }

    void modelThatIsShutDown_IsToldFromADayOn_data()
    {
        QTest::addColumn<int>("hours");
        QTest::addColumn<QByteArray>("says");
        // The clock stands at eight in the morning of 2027-01-15, UTC.
        QTest::newRow("91 days before") << -86 * 24 << QByteArray();
        QTest::newRow("the last hour of that day") << -85 * 24 - 9 << QByteArray();
        QTest::newRow("90 days before") << -85 * 24 - 8 << QByteArray("\"daysLeft\":90");
        QTest::newRow("the last hour of the day before") << 4 * 24 + 15 << QByteArray("\"daysLeft\":1");
        QTest::newRow("that day") << 4 * 24 + 16 << QByteArray("was to be shut down");
    }
    void modelThatIsShutDown_IsToldFromADayOn()
    {
        QFETCH(int, hours);
        QFETCH(QByteArray, says);
        Reading reading(OutputFormat::JsonLines);
        reading.clock().jumpWall(std::chrono::hours{hours});
        reading.gets("gpt-realtime");
        const QByteArray shown = reading.text();
        QVERIFY(shown.contains("\"model\":\"gpt-realtime\""));
        QCOMPARE(shown.contains("\"event\":\"sunset\""), !says.isEmpty());
        QVERIFY2(shown.contains(says), shown.constData());
    }

    void modelThatNobodyKnows_IsToldToHaveNoPrice()
    {
        Reading reading(OutputFormat::JsonLines);
        reading.gets("house-model");
        const QByteArray shown = reading.text();
        QVERIFY(shown.contains("\"event\":\"unpriced\""));
        QVERIFY(shown.contains("the price of house-model is not known"));
        QVERIFY(!shown.contains("sunset"));
    }

    void modelOfAnotherProvider_IsShutDownByNobody()
    {
        Reading reading;
        reading.gets("gpt-realtime", "local");
        QCOMPARE(reading.text(), QByteArray());
    }

    void transcriberThatIsShutDownSoon_IsToldOnce()
    {
        Reading reading;
        for (int i = 0; i < 2; ++i) {
            reading.report().tell(
                SessionNotice(session_notice::TranscriptionUsage{"u", openai::TranscriptionDuration{1}, "whisper-1"}));
        }
        QCOMPARE(reading.text(),
            QByteArray(
                "(whisper-1 is to be shut down on 2027-02-26, in 42 days; gpt-live-transcribe takes its place)\n"));
    }

    void ownAgent_IsShutDownByNobody_AndCostsNothing()
    {
        Reading reading(OutputFormat::JsonLines, true);
        reading.gets("gpt-realtime");
        reading.gets("house-model");
        QVERIFY(!reading.text().contains("\"type\":\"model\""));
    }

    void noSoundDevice_IsAnErrorLikeOthers()
    {
        Reading reading(OutputFormat::JsonLines);
        QCOMPARE(tellDevices(reading.events(), {}), 5);
        const Json error = parseJson(reading.text().split('\n').first().toStdString()).value();
        QCOMPARE(error["type"].get<std::string>(), std::string("error"));
        QCOMPARE(error["code"].get<std::string>(), std::string(codeText(ErrorCode::SoundFailed)));
        QCOMPARE(error["message"].get<std::string>(), std::string("there is no sound device"));
        QVERIFY(error["fatal"].get<bool>());
        QVERIFY(!error.contains("detail"));
    }

    void voice_ThatTheProviderIsNotKnownToHave_IsToldOnce()
    {
        Reading reading(OutputFormat::JsonLines, false, "Puck");
        reading.gets("gpt-realtime-2.1");
        reading.gets("gpt-realtime-2.1");
        QCOMPARE(reading.text().count("\"code\":\"setting.unknown\""), 1);
        Reading known(OutputFormat::JsonLines, false, "Puck");
        known.gets("gemini-3.8-live", "gemini");
        // Nobody knows what a server of one's own has.
        known.gets("anything", "own");
        QVERIFY(!known.text().contains("setting.unknown"));
    }

    void voice_IsKnownByTheKindOfServer_WhateverItsBrokerCallsIt()
    {
        Reading azure(OutputFormat::JsonLines, false, "nosuch");
        azure.gets("gpt-realtime-2.1", "az824", "azure");
        QVERIFY(azure.text().contains("azure is not known to have a voice"));
        Reading local(OutputFormat::JsonLines, false, "alloy");
        local.gets("anything", "xai", "localai");
        QVERIFY(!local.text().contains("setting.unknown"));
    }

    void setting_ThatTheProviderHasChanged_IsNoError()
    {
        Reading reading(OutputFormat::JsonLines);
        reading.report().tell(SessionNotice(session_notice::SettingDiffers{"voice", "marin", "alloy"}));
        const QByteArray text = reading.text();
        QVERIFY(text.contains("\"code\":\"setting.differs\"") && text.contains("\"given\":\"alloy\""));
        QVERIFY(!text.contains("\"type\":\"error\""));
    }

    void setting_ThatDiffers_IsNamedInWords()
    {
        Reading reading;
        for (const char* setting : {"voice", "input_format", "output_format"}) {
            reading.report().tell(SessionNotice(session_notice::SettingDiffers{setting, "A", "B"}));
        }
        QCOMPARE(reading.text(),
            QByteArray("(the provider goes on with the voice B, and A was asked for)\n"
                       "(the provider listens to sound as B, and not as A)\n"
                       "(the provider speaks in sound as B, and not as A)\n"));
    }
};

QTEST_GUILESS_MAIN(TalkReportTest)
#include "test_talk_report.moc"
