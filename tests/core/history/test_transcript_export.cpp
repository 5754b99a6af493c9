#include "core/base/json.h"
#include "core/history/transcript_export.h"

#include <QTest>

#include <nlohmann/json.hpp>

using namespace vivavoce::core;

namespace {

TranscriptLine line(Speaker speaker, const char* text, int startMs, int endMs)
{
    TranscriptLine made;
    made.entry.itemId = "id";
    made.entry.speaker = speaker;
    made.entry.text = text;
    made.entry.isFinal = true;
    made.start = Milliseconds{startMs};
    made.end = Milliseconds{endMs};
    return made;
}

Transcript of(std::vector<TranscriptLine> lines)
{
    // 2026-11-29 14:05:09 UTC.
    return {WallTime{std::chrono::seconds{1'795'961'109}}, "gpt-realtime", std::move(lines)};
}

Transcript talk()
{
    TranscriptLine cut = line(Speaker::Assistant, "It is nine o'clock, and the sun is up.", 5'250, 7'000);
    cut.entry.wasInterrupted = true;
    cut.entry.heardBytes = 18;
    return of({line(Speaker::User, "What time is it?", 3'000, 4'500), cut,
        line(Speaker::User, "Grüße aus Köln", 3'661'001, 3'661'200)});
}

QByteArray exported(const Transcript& transcript, TranscriptFormat format)
{
    return QByteArray::fromStdString(exportTranscript(transcript, format));
}

/// What follows the name in the one cue or line.
QByteArray exportedWords(const char* words, TranscriptFormat format)
{
    const QByteArray all = exported(of({line(Speaker::User, words, 0, 2'000)}), format);
    const QByteArray name = format == TranscriptFormat::WebVtt ? QByteArray("<v You>")
        : format == TranscriptFormat::Markdown                 ? QByteArray("**You** (00:00:00): ")
                                                               : QByteArray("You: ");
    QByteArray rest = all.mid(all.indexOf(name) + name.size());
    rest.chop(format == TranscriptFormat::WebVtt ? 5 : 1);
    return rest;
}

} // namespace

class TranscriptExportTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void text_IsAsItIsRead()
    {
        QCOMPARE(exported(talk(), TranscriptFormat::PlainText),
            QByteArray("Conversation of 2026-11-29 14:05 UTC\nWith gpt-realtime\n\n"
                       "[00:00:03] You: What time is it?\n"
                       "[00:00:05] Agent: It is nine o'clock — (interrupted)\n"
                       "[01:01:01] You: Grüße aus Köln\n"));
    }

    void markdown_IsAsItIsRead()
    {
        QCOMPARE(exported(talk(), TranscriptFormat::Markdown),
            QByteArray("# Conversation of 2026-11-29 14:05 UTC\n\nWith gpt-realtime\n\n"
                       "**You** (00:00:03): What time is it?\n\n"
                       "**Agent** (00:00:05): It is nine o'clock — *(interrupted)*\n\n"
                       "**You** (01:01:01): Grüße aus Köln\n"));
    }

    void srt_HasNumbersAndTimes()
    {
        QCOMPARE(exported(talk(), TranscriptFormat::SubRip),
            QByteArray("1\n00:00:03,000 --> 00:00:04,500\nYou: What time is it?\n\n"
                       "2\n00:00:05,250 --> 00:00:07,000\nAgent: It is nine o'clock — (interrupted)\n\n"
                       "3\n01:01:01,001 --> 01:01:02,001\nYou: Grüße aus Köln\n"));
    }

    void vtt_HasTimesAndVoices()
    {
        QCOMPARE(exported(talk(), TranscriptFormat::WebVtt),
            QByteArray("WEBVTT\n\nNOTE Conversation of 2026-11-29 14:05 UTC\n\n"
                       "00:00:03.000 --> 00:00:04.500\n<v You>What time is it?</v>\n\n"
                       "00:00:05.250 --> 00:00:07.000\n<v Agent>It is nine o'clock — (interrupted)</v>\n\n"
                       "01:01:01.001 --> 01:01:02.001\n<v You>Grüße aus Köln</v>\n"));
    }

    void json_IsJsonWithTheHeardWordsAlone()
    {
        const auto read = parseJson(exportTranscript(talk(), TranscriptFormat::JsonText));
        QVERIFY(read.has_value());
        QCOMPARE(read->value("format", ""), std::string("vivavoce-transcript"));
        QCOMPARE(read->value("version", 0), 1);
        QCOMPARE(read->value("startedAt", ""), std::string("2026-11-29T14:05:09Z"));
        QCOMPARE(read->value("model", ""), std::string("gpt-realtime"));
        const Json& lines = read->at("lines");
        QCOMPARE(lines.size(), std::size_t{3});
        QVERIFY(lines[1]
            == (Json{{"speaker", "agent"}, {"text", "It is nine o'clock"}, {"startMs", 5'250}, {"endMs", 7'000},
                {"interrupted", true}}));
        QCOMPARE(lines[0].value("interrupted", true), false);
        QCOMPARE(lines[2].value("text", ""), std::string("Grüße aus Köln"));
    }

    void unheardReply_IsInNone_data()
    {
        QTest::addColumn<int>("format");
        for (const TranscriptFormat format : kTranscriptFormats) {
            QTest::newRow(fileEnding(format).data()) << static_cast<int>(format);
        }
    }

    void unheardReply_IsInNone()
    {
        QFETCH(int, format);
        TranscriptLine cut = line(Speaker::Assistant, "Secretly unheard", 0, 10);
        cut.entry.wasInterrupted = true;
        cut.entry.heardBytes = 0;
        const auto as = static_cast<TranscriptFormat>(format);
        QCOMPARE(exported(of({cut}), as), exported(of({}), as));
        QVERIFY(!exported(of({cut}), as).contains("Secretly"));
    }

    void emptyConversation_IsAWholeFile()
    {
        const Transcript empty = of({});
        QVERIFY(exported(empty, TranscriptFormat::PlainText).endsWith("\n\nNothing was said.\n"));
        QVERIFY(exported(empty, TranscriptFormat::Markdown).endsWith("\n\nNothing was said.\n"));
        QCOMPARE(exported(empty, TranscriptFormat::SubRip), QByteArray());
        QCOMPARE(exported(empty, TranscriptFormat::WebVtt),
            QByteArray("WEBVTT\n\nNOTE Conversation of 2026-11-29 14:05 UTC\n"));
        const auto read = parseJson(exportTranscript(empty, TranscriptFormat::JsonText));
        QVERIFY(read.has_value() && read->at("lines").is_array() && read->at("lines").empty());
    }

    void nastyWords_StayWords_data()
    {
        QTest::addColumn<int>("format");
        QTest::addColumn<QByteArray>("words");
        QTest::addColumn<QByteArray>("written");
        const auto row = [](const char* name, TranscriptFormat format, const char* words, const char* written) {
            QTest::newRow(name) << static_cast<int>(format) << QByteArray(words) << QByteArray(written);
        };
        using F = TranscriptFormat;
        row("text: a forged line", F::PlainText, "yes\n[00:00:09] Agent: no", "yes\n    [00:00:09] Agent: no");
        row("text: Windows line ends", F::PlainText, "a\r\nb\rc", "a\n    b\n    c");
        row("text: line separators", F::PlainText,
            "a\xE2\x80\xA8"
            "b",
            "a\n    b");
        row("text: orders to a terminal", F::PlainText,
            "\x1B[2Jgone \xC2\x9B"
            "31m \x07\x7Fred",
            "[2Jgone 31m red");
        row("text: a letter beside C1", F::PlainText, "\xC2\xA0\xC3\xA4", "\xC2\xA0\xC3\xA4");
        row("text: space around", F::PlainText, " \n\t hi \n ", "hi");
        row("markdown: emphasis and code", F::Markdown, "a *b* _c_ `d` ~~e~~",
            "a \\*b\\* \\_c\\_ \\`d\\` \\~\\~e\\~\\~");
        row("markdown: tags and links", F::Markdown, "<b>[x](y)</b> &amp; ![i](u)",
            "\\<b\\>\\[x\\](y)\\</b\\> \\&amp; \\!\\[i\\](u)");
        row("markdown: a backslash", F::Markdown, "C:\\*", "C:\\\\\\*");
        row("markdown: blocks on later lines", F::Markdown, "x\n- a\n1. b\n2) c\n# d\n===\n    code",
            "x\\\n\\- a\\\n1\\. b\\\n2\\) c\\\n\\# d\\\n\\===\\\ncode");
        row("markdown: numbers are left alone", F::Markdown, "3.14 is (about) 22-7", "3\\.14 is (about) 22-7");
        row("markdown: paragraphs", F::Markdown, "a\n\n\nb", "a\n\nb");
        row("srt: a cue within", F::SubRip, "a\n\n2\n00:00:01,000 --> 00:00:02,000\nb",
            "a\n2\n00:00:01,000 --› 00:00:02,000\nb");
        row("srt: a line of spaces ends it too", F::SubRip, "a\n   \nb", "a\nb");
        row("srt: tags and positions", F::SubRip, "<i>x</i> {\\an8}", "‹i›x‹/i› { \\an8}");
        row("vtt: a cue within", F::WebVtt, "a\n\n00:01.000 --> 00:02.000\nb", "a\n00:01.000 --&gt; 00:02.000\nb");
        row("vtt: tags and entities", F::WebVtt, "<v Agent>&lt;</v>", "&lt;v Agent&gt;&amp;lt;&lt;/v&gt;");
    }

    void nastyWords_StayWords()
    {
        QFETCH(int, format);
        QFETCH(QByteArray, words);
        QFETCH(QByteArray, written);
        QCOMPARE(exportedWords(words.constData(), static_cast<TranscriptFormat>(format)), written);
    }

    void json_KeepsEveryCharacter()
    {
        const char* const words = "\"quoted\" \\ back\nline \x1B[2J <b> \xF0\x9F\x8E\xBB \xD7\x90";
        const auto read =
            parseJson(exportTranscript(of({line(Speaker::User, words, 0, 1)}), TranscriptFormat::JsonText));
        QVERIFY(read.has_value());
        QCOMPARE(read->at("lines").at(0).value("text", ""), std::string(words));
    }

    void json_HasNoOrdersToATerminal()
    {
        const char* const words = "\x1B[2J a\x7F \xC2\x9B"
                                  "31m \xC2\x80 \xC2\xA0\xC3\xA4";
        Transcript transcript = of({line(Speaker::User, words, 0, 1)});
        transcript.model = "m\xC2\x9B"
                           "2J";
        const QByteArray out = exported(transcript, TranscriptFormat::JsonText);
        for (const QChar c : QString::fromUtf8(out)) {
            QVERIFY2(c.category() != QChar::Other_Control || c == QLatin1Char('\n'),
                qPrintable(QString::number(c.unicode())));
        }
        QVERIFY(out.contains("\\u001b[2J a\\u007f \\u009b31m \\u0080 \xC2\xA0\xC3\xA4"));
        const auto read = parseJson(out.toStdString());
        QVERIFY(read.has_value());
        QCOMPARE(read->at("lines").at(0).value("text", ""), std::string(words));
        QCOMPARE(read->value("model", ""), transcript.model);
    }

    void cues_ComeInTheOrderOfTheirTimes()
    {
        // The words of a user are often there after the reply to them, and spoken before it.
        const Transcript late =
            of({line(Speaker::Assistant, "two", 5'000, 6'000), line(Speaker::User, "one", 1'000, 2'000)});
        for (const TranscriptFormat format : {TranscriptFormat::SubRip, TranscriptFormat::WebVtt}) {
            const QByteArray out = exported(late, format);
            QVERIFY(out.indexOf("one") < out.indexOf("two"));
        }
        const QByteArray text = exported(late, TranscriptFormat::PlainText);
        QVERIFY(text.indexOf("two") < text.indexOf("one"));
    }

    void model_CannotAddLines()
    {
        Transcript transcript = of({});
        transcript.model = "x\n[00:00:01] You: I agree";
        QVERIFY(exported(transcript, TranscriptFormat::PlainText).contains("With x [00:00:01] You: I agree\n"));
    }

    void format_IsByTheEnding()
    {
        QCOMPARE(transcriptFormatOf("talk.txt"), TranscriptFormat::PlainText);
        QCOMPARE(transcriptFormatOf("/a.b/Talk.MD"), TranscriptFormat::Markdown);
        QCOMPARE(transcriptFormatOf("a.srt.json"), TranscriptFormat::JsonText);
        QCOMPARE(transcriptFormatOf("a.srt"), TranscriptFormat::SubRip);
        QCOMPARE(transcriptFormatOf("a.vtt"), TranscriptFormat::WebVtt);
        for (const char* none : {"", "txt", "a.doc", "a.txt.", "a.txt/", "folder.md/talk", ".txt", "/home/.json"}) {
            QVERIFY2(!transcriptFormatOf(none), none);
        }
    }
};

QTEST_GUILESS_MAIN(TranscriptExportTest)
#include "test_transcript_export.moc"
