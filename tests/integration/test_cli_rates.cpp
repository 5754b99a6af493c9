#include "audio/dsp/wav_file.h"
#include "core/base/base64.h"
#include "tests/integration/cli_run.h"
#include "tests/integration/scripted_servers.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <QtEndian>

#include <cmath>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

void say(QWebSocket& socket, const Json& event)
{
    socket.sendTextMessage(QString::fromStdString(event.dump()));
}

Json formats(unsigned input, unsigned output)
{
    const auto pcm = [](unsigned rate) { return Json{{"format", {{"type", "audio/pcm"}, {"rate", rate}}}}; };
    return {{"type", "realtime"}, {"id", "s"}, {"audio", {{"input", pcm(input)}, {"output", pcm(output)}}}};
}

/// Takes speech at 16 kHz and speaks at 48, whatever it is asked for. When it has heard a second it answers with half a second.
class OddProvider {
public:
    explicit OddProvider(bool namesRates)
        : m_namesRates(namesRates),
          m_server(
              [this](QWebSocket& socket) {
                  say(socket, {{"type", "session.created"}, {"session", session()}});
              },
              [this](QWebSocket& socket, const QString& text) { hear(socket, text); })
    {
    }

    [[nodiscard]] QString url() const { return m_server.url(); }
    /// What it was asked for.
    Json asked;
    std::size_t heard = 0;

private:
    [[nodiscard]] Json session() const
    {
        return m_namesRates ? formats(16'000, 48'000) : Json{{"type", "realtime"}, {"id", "s"}};
    }

    void hear(QWebSocket& socket, const QString& text)
    {
        const Json event = Json::parse(text.toStdString());
        const std::string type = event.at("type");
        if (type == "session.update") {
            asked = event.at("session").at("audio");
            say(socket, {{"type", "session.updated"}, {"session", session()}});
        } else if (type == "input_audio_buffer.append") {
            const std::size_t before = heard;
            heard += QByteArray::fromBase64(QByteArray::fromStdString(event.at("audio"))).size();
            if (before < 32'000 && heard >= 32'000) {
                answer(socket);
            }
        }
    }

    static void answer(QWebSocket& socket)
    {
        const auto of = [](Json event, const char* type) {
            event["type"] = type;
            return event;
        };
        const Json turn{{"item_id", "u"}, {"audio_start_ms", 0}, {"audio_end_ms", 1'000}};
        say(socket, of(turn, "input_audio_buffer.speech_started"));
        say(socket, of(turn, "input_audio_buffer.speech_stopped"));
        say(socket, of(turn, "input_audio_buffer.committed"));
        say(socket, {{"type", "response.created"}, {"response", {{"id", "r"}, {"status", "in_progress"}}}});
        const Json part{{"response_id", "r"}, {"item_id", "i"}, {"output_index", 0}, {"content_index", 0}};
        QByteArray sound;
        for (int i = 0; i < 24'000; ++i) {
            const auto sample =
                static_cast<qint16>(std::lrint(8'000 * std::sin(2 * 3.14159265358979 * 1'000 * i / 48'000)));
            sound.append(static_cast<char>(sample & 0xFF)).append(static_cast<char>(sample >> 8));
        }
        Json delta = part;
        delta["delta"] = sound.toBase64().toStdString();
        say(socket, of(delta, "response.output_audio.delta"));
        say(socket, of(part, "response.output_audio.done"));
        say(socket,
            {{"type", "response.done"},
                {"response", {{"id", "r"}, {"status", "completed"}, {"output", Json::array()}}}});
    }

    bool m_namesRates;
    ScriptedProvider m_server;
};

} // namespace

/// vivavoce-cli with a server whose sound is not at 24 kHz: what is sent, what is written, and how long it says that both took.
class CliRatesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void recordingAndReply_KeepTheirTime_data()
    {
        QTest::addColumn<bool>("namesRates");
        QTest::addColumn<QByteArray>("known");
        QTest::newRow("the broker knows") << false << QByteArray(R"("rate":16000,"outputRate":48000)");
        QTest::newRow("the server says so") << true << QByteArray(R"("rate":24000)");
    }
    void recordingAndReply_KeepTheirTime()
    {
        QFETCH(bool, namesRates);
        QFETCH(QByteArray, known);
        const QTemporaryDir folder;
        const std::string in = folder.filePath(QStringLiteral("in.wav")).toStdString();
        const std::string out = folder.filePath(QStringLiteral("out.wav")).toStdString();
        auto recording = dsp::WavWriter::create(in, core::SampleRate{44'100});
        QVERIFY(recording && recording->write(std::vector<std::int16_t>(44'100, 1'000)) && recording->close());

        OddProvider provider(namesRates);
        ScriptedHttpServer broker(
            ScriptedHttpServer::token(provider.url(), "direct", known.constData()), ScriptedHttpServer::After::HangUp);
        CliRun cli({QStringLiteral("talk"), QStringLiteral("--broker"), broker.url(), QStringLiteral("--in"),
            QString::fromStdString(in), QStringLiteral("--out"), QString::fromStdString(out),
            QStringLiteral("--timeout"), QStringLiteral("20")});
        QCOMPARE(cli.finish(), 0);
        QCOMPARE(provider.asked.at("input").at("format").at("rate").get<int>(), 16'000);
        QCOMPARE(provider.asked.at("output").at("format").at("rate").get<int>(), 48'000);

        const Json summary = cli.all("summary").at(0);
        // What filters hold back at the end comes, too.
        QVERIFY2(std::abs(summary.value("spokenMs", 0) - 1'000) <= 10, summary.dump().c_str());
        QCOMPARE(summary.value("heardMs", 0), 500);
        QFile file(QString::fromStdString(out));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(qFromLittleEndian<quint32>(file.read(28).constData() + 24), 48'000U);
        const auto reply = dsp::readWav(out, core::SampleRate{48'000});
        QVERIFY(reply);
        QCOMPARE(reply->size(), std::size_t{24'000});
        // The tone that was said, and not another one: it crosses zero twice a period.
        int crossings = 0;
        for (std::size_t i = 1; i < reply->size(); ++i) {
            crossings += (*reply)[i - 1] < 0 && (*reply)[i] >= 0 ? 1 : 0;
        }
        QVERIFY2(std::abs(crossings - 500) <= 2, qPrintable(QString::number(crossings)));
    }
};

QTEST_GUILESS_MAIN(CliRatesTest)
#include "test_cli_rates.moc"
