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
    explicit Reading(OutputFormat format = OutputFormat::Text) : m_format(format) {}
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
    ManualClock m_clock;
    std::unique_ptr<std::FILE, Close> m_file{std::tmpfile()};
    EventWriter m_events{m_clock, m_format, m_file.get()};
    TalkReport m_report{m_events};
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
};

QTEST_GUILESS_MAIN(TalkReportTest)
#include "test_talk_report.moc"
