#include "agent/skills/grammar.h"
#include "agent/speech/flite_voice.h"
#include "agent/speech/pocketsphinx_recogniser.h"
#include "audio/dsp/resampler.h"
#include "audio/dsp/wav_file.h"
#include "tests/integration/cli_run.h"

#include <QFile>
#include <QTemporaryDir>

#include <csignal>

using namespace vivavoce;
using namespace vivavoce::tests;

/// Spoken questions through the real programs, as a user has them out of the box. What is answered is checked by ear: a
/// recogniser run of its own listens to the recording of the reply.
class ConversationTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    QString path(const char* name) const { return m_folder.filePath(QString::fromLatin1(name)); }

    /// A recording of sentences, a second and a half of silence after each.
    QString speak(const char* name, const std::vector<std::string>& sentences) const
    {
        const auto voice = agent::speech::FliteVoice::create();
        auto writer = dsp::WavWriter::create(path(name).toStdString(), core::kSpeechRate);
        if (!voice || !writer) {
            qFatal("no voice or no place for a recording");
        }
        const std::vector<std::int16_t> pause(24'000, 0);
        for (const std::string& sentence : sentences) {
            (void)(*voice)->speak(sentence, {},
                [&](std::span<const std::int16_t> samples) { return writer->write(samples).has_value(); });
            (void)writer->write(pause);
        }
        (void)writer->close();
        return path(name);
    }

    /// What a recogniser of its own hears in a recording.
    static std::string listenTo(const QString& file)
    {
        const auto samples = dsp::readWav(file.toStdString(), core::kSpeechRate);
        agent::speech::RecogniserSettings settings;
        settings.sentences = agent::skills::sampleSentences(5000, 3);
        settings.sentences.insert(
            settings.sentences.end(), {"that is eighty four", "it is sunny", "twenty one degrees"});
        const auto pool = agent::speech::PocketsphinxPool::create(std::move(settings));
        if (!samples || !pool) {
            return {};
        }
        const auto recogniser = (*pool)->borrow({});
        (void)(*recogniser)->begin();
        (void)(*recogniser)->accept(*samples);
        return (*recogniser)->finish().text;
    }

    static bool contains(const std::vector<std::string>& texts, const char* part)
    {
        return std::any_of(
            texts.begin(), texts.end(), [&](const std::string& text) { return text.find(part) != std::string::npos; });
    }

private Q_SLOTS:
    void spokenQuestion_IsUnderstoodAnsweredAndHeard()
    {
        const QString out = path("answer.wav");
        CliRun cli({QStringLiteral("talk"), QStringLiteral("--in"),
            speak("question.wav", {"what is twelve times seven"}), QStringLiteral("--out"), out});
        QCOMPARE(cli.finish(), 0);
        QVERIFY(cli.isEveryLineJson());
        QVERIFY(contains(cli.finalTexts("user"), "twelve times seven"));
        QVERIFY(contains(cli.finalTexts("assistant"), "eighty four"));
        QVERIFY2(listenTo(out).find("eighty four") != std::string::npos, listenTo(out).c_str());
        const auto usages = cli.all("usage");
        QVERIFY(std::any_of(usages.begin(), usages.end(), [](const core::Json& usage) {
            return usage.value("of", "") == "reply" && usage["input"].value("audio", 0) > 0
                && usage["output"].value("audio", 0) > 0
                && usage.value("totalTokens", 0) == usage.value("inputTokens", 0) + usage.value("outputTokens", 0);
        }));
        const auto latencies = cli.all("latency");
        QCOMPARE(latencies.size(), std::size_t{1});
        // The silence that ends a turn is half a second: less would be made up.
        QVERIFY(latencies[0].value("endOfSpeechToReplyMs", 0) >= 500);
        QCOMPARE(cli.all("token").at(0).value("event", ""), std::string("acquired"));
    }

    void twoQuestionsInOneRecording_GetTwoAnswers()
    {
        CliRun cli({QStringLiteral("talk"), QStringLiteral("--in"),
            speak("two.wav", {"what is two plus three", "what is twelve times seven"}), QStringLiteral("--timeout"),
            QStringLiteral("60")});
        QCOMPARE(cli.finish(70'000), 0);
        QCOMPARE(cli.all("summary").at(0).value("turns", 0), 2);
        QVERIFY(contains(cli.finalTexts("assistant"), "five"));
        QVERIFY(contains(cli.finalTexts("assistant"), "eighty four"));
    }

    void functionNobodyHasSeenBefore_IsCalledAndItsResultSpoken()
    {
        QFile tools(path("tools.json"));
        QVERIFY(tools.open(QIODevice::WriteOnly));
        tools.write(
            R"([{"name":"get_weather","description":"Tells the current weather of a city",)"
            R"("parameters":{"type":"object","properties":{"city":{"type":"string","description":"The name of the city"}},"required":["city"]},)"
            R"("command":["/bin/sh","-c","cat > )"
            + path("arguments.json").toUtf8() + R"(; echo '{\"condition\":\"sunny\",\"temperature\":21}'"]}])");
        tools.close();
        CliRun cli({QStringLiteral("talk"), QStringLiteral("--in"),
            speak("weather.wav", {"what is the weather in london"}), QStringLiteral("--tools"), tools.fileName()});
        QCOMPARE(cli.finish(), 0);
        const auto calls = cli.all("tool");
        QVERIFY2(!calls.empty(), cli.output().constData());
        QCOMPARE(calls[0].value("name", ""), std::string("get_weather"));
        QFile arguments(path("arguments.json"));
        QVERIFY(arguments.open(QIODevice::ReadOnly));
        const auto parsed = core::parseJson(arguments.readAll().toStdString());
        QVERIFY(parsed.has_value());
        QCOMPARE(QString::fromStdString(parsed->value("city", "")).toLower(), QStringLiteral("london"));
        QVERIFY(contains(cli.finalTexts("assistant"), "sunny"));
    }

    void eightBitStereoAtElevenKilohertz_IsARecordingLikeAnyOther()
    {
        const auto spoken =
            dsp::readWav(speak("plain.wav", {"what is twelve times seven"}).toStdString(), core::SampleRate{11'025});
        QVERIFY(spoken.has_value());
        QByteArray data;
        for (const std::int16_t sample : *spoken) {
            const char byte = static_cast<char>((sample >> 8) + 128);
            data.append(byte).append(byte);
        }
        const auto word = [](quint32 value, int bytes) {
            QByteArray result;
            for (int i = 0; i < bytes; ++i) {
                result.append(static_cast<char>(value >> (8 * i)));
            }
            return result;
        };
        QFile file(path("old.wav"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("RIFF" + word(static_cast<quint32>(36 + data.size()), 4) + "WAVEfmt " + word(16, 4) + word(1, 2)
            + word(2, 2) + word(11'025, 4) + word(22'050, 4) + word(2, 2) + word(8, 2) + "data"
            + word(static_cast<quint32>(data.size()), 4) + data);
        file.close();
        CliRun cli({QStringLiteral("talk"), QStringLiteral("--in"), file.fileName()});
        QCOMPARE(cli.finish(), 0);
        QVERIFY2(contains(cli.finalTexts("assistant"), "eighty four"), cli.output().constData());
    }

    void silence_IsToldApartFromAnAnswer()
    {
        auto writer = dsp::WavWriter::create(path("silence.wav").toStdString(), core::kSpeechRate);
        QVERIFY(writer.has_value());
        QVERIFY(writer->write(std::vector<std::int16_t>(16'000, 0)).has_value());
        QVERIFY(writer->close().has_value());
        CliRun cli({QStringLiteral("talk"), QStringLiteral("--in"), path("silence.wav")});
        QCOMPARE(cli.finish(), 2);
        QCOMPARE(cli.fatalCode(), std::string("input.no_speech"));
    }

    void typedWords_AreAnsweredOneAfterTheOther()
    {
        CliRun cli({QStringLiteral("talk"), QStringLiteral("--fast"), QStringLiteral("--text"),
            QStringLiteral("what is 2 plus 2"), QStringLiteral("--text"), QStringLiteral("what is 10 minus 3")});
        QCOMPARE(cli.finish(), 0);
        const auto said = cli.finalTexts("assistant");
        QVERIFY2(contains(said, "four") && contains(said, "seven"), cli.output().constData());
        QCOMPARE(cli.all("summary").at(0).value("turns", 0), 2);
    }

#ifdef Q_OS_LINUX
    void agentThatIsKilled_EndsTheConversationWithItsName()
    {
        CliRun cli(
            {QStringLiteral("talk"), QStringLiteral("--in"), speak("long.wav", {"what time is it", "what time is it"}),
                QStringLiteral("--timeout"), QStringLiteral("30")});
        QTRY_VERIFY_WITH_TIMEOUT(cli.hasState("live"), 20'000);
        const qint64 child = childOf(cli.process().processId(), "vivavoce-agent");
        QVERIFY(child > 0);
        ::kill(static_cast<pid_t>(child), SIGKILL);
        QCOMPARE(cli.finish(), 4);
        QCOMPARE(cli.fatalCode(), std::string("child.died"));
    }

    void parentThatIsKilled_TakesItsChildrenAlong()
    {
        CliRun cli({QStringLiteral("talk"), QStringLiteral("--in"),
            speak("orphan.wav", {"what time is it", "what time is it"})});
        QTRY_VERIFY_WITH_TIMEOUT(cli.hasState("live"), 20'000);
        const qint64 agent = childOf(cli.process().processId(), "vivavoce-agent");
        const qint64 broker = childOf(cli.process().processId(), "vivavoce-broker");
        QVERIFY(agent > 0 && broker > 0);
        cli.process().kill();
        const auto isGone = [](qint64 pid) {
            return !QFile::exists(QStringLiteral("/proc/%1/exe").arg(pid)) || ::kill(static_cast<pid_t>(pid), 0) != 0;
        };
        QTRY_VERIFY_WITH_TIMEOUT(isGone(agent) && isGone(broker), 10'000);
    }

private:
    /// A child of `parent` by its program's name.
    static qint64 childOf(qint64 parent, const char* name)
    {
        QFile children(QStringLiteral("/proc/%1/task/%1/children").arg(parent));
        if (!children.open(QIODevice::ReadOnly)) {
            return 0;
        }
        for (const QByteArray& pid : children.readAll().split(' ')) {
            QFile comm(QStringLiteral("/proc/%1/comm").arg(QString::fromLatin1(pid)));
            if (comm.open(QIODevice::ReadOnly) && comm.readAll().trimmed() == QByteArray(name).left(15)) {
                return pid.toLongLong();
            }
        }
        return 0;
    }
#endif
};

QTEST_GUILESS_MAIN(ConversationTest)
#include "test_spoken_conversation.moc"
