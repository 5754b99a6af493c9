#include "app/cli/talk_report.h"
#include "tests/support/manual_clock.h"

#include <QTest>

#include <cstdio>
#include <memory>

using namespace vivavoce::core;
using namespace vivavoce::cli;
using vivavoce::tests::ManualClock;

namespace {

/// A report for people, and what they read.
class Reading {
public:
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
    ManualClock m_clock;
    std::unique_ptr<std::FILE, Close> m_file{std::tmpfile()};
    EventWriter m_events{m_clock, OutputFormat::Text, m_file.get()};
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
};

QTEST_GUILESS_MAIN(TalkReportTest)
#include "test_talk_report.moc"
