#include "audio/dsp/echo_delay.h"
#include "audio/dsp/wav_file.h"
#include "bench/audio/made_up_room.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

using namespace vivavoce;
using Samples = std::vector<std::int16_t>;
using bench::MadeUpRoom;

namespace {

constexpr std::size_t kSecond = 48'000;

/// The bundled question, again and again from somewhere in it.
Samples speech(std::size_t samples, std::size_t offset)
{
    const auto once =
        dsp::readWav(qEnvironmentVariable("VV_SOURCE_DIR").toStdString() + "/resources/recordings/question.wav",
            core::SampleRate{48'000});
    Samples said(samples);
    for (std::size_t i = 0; once && i < samples; ++i) {
        said[i] = static_cast<std::int16_t>((*once)[(i + offset) % once->size()] / 2);
    }
    return said;
}

/// The same, backwards: somebody else, who says nothing of the kind.
Samples strangeSpeech(std::size_t samples)
{
    Samples said = speech(samples, 0);
    std::reverse(said.begin(), said.end());
    return said;
}

Samples heardIn(const MadeUpRoom& room, const Samples& played)
{
    Samples heard;
    for (const double sample : room.echoOf(played)) {
        heard.push_back(static_cast<std::int16_t>(std::clamp(std::lround(sample), -32768L, 32767L)));
    }
    return heard;
}

void feed(dsp::EchoDelay& delay, const Samples& played, const Samples& heard, std::size_t begin, std::size_t end)
{
    for (std::size_t at = begin; at + 480 <= end; at += 480) {
        delay.add(std::span(played).subspan(at, 480), std::span(heard).subspan(at, 480));
    }
}

} // namespace

class EchoDelayTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void echo_OfSpeech_IsFoundInFourSeconds_data()
    {
        QTest::addColumn<int>("delay");
        for (const int delay : {0, 10, 30, 100, 200, 350}) {
            QTest::addRow("%d ms", delay) << delay;
        }
    }
    void echo_OfSpeech_IsFoundInFourSeconds()
    {
        QFETCH(int, delay);
        const Samples played = speech(4 * kSecond, 0);
        MadeUpRoom room;
        room.delayMs = delay;
        dsp::EchoDelay finder;
        feed(finder, played, heardIn(room, played), 0, 4 * kSecond);
        QVERIFY(finder.delay().has_value());
        QVERIFY2(std::abs(static_cast<int>(finder.delay()->count()) - delay) <= 4,
            qPrintable(QString::number(finder.delay()->count())));
    }

    void silence_AndSomebodyElse_AreNoEcho()
    {
        const Samples played = speech(20 * kSecond, 0);
        dsp::EchoDelay finder;
        feed(finder, played, Samples(played.size(), 0), 0, 5 * kSecond);
        feed(finder, played, strangeSpeech(20 * kSecond), 5 * kSecond, 20 * kSecond);
        QVERIFY(!finder.delay().has_value());
    }

    /// Somebody who interrupts a reply as it begins: for a moment there is one rise in the loudness of each.
    void twoVoices_ThatBeginTogether_AreNoEcho()
    {
        for (std::size_t offset = 0; offset < 40; ++offset) {
            dsp::EchoDelay finder;
            const Samples quiet(2 * kSecond, 0);
            feed(finder, quiet, quiet, 0, 2 * kSecond);
            const Samples played = speech(2 * kSecond, offset * kSecond / 20);
            const Samples strange = strangeSpeech(3 * kSecond);
            // The other one 60 ms later.
            Samples heard(static_cast<std::size_t>(2'880), 0);
            heard.insert(
                heard.end(), strange.begin() + static_cast<std::ptrdiff_t>(offset * kSecond / 40), strange.end());
            feed(finder, played, heard, 0, 2 * kSecond);
            QVERIFY2(!finder.delay().has_value(), qPrintable(QString::number(offset)));
        }
    }

    void delay_ThatChanges_IsFollowed()
    {
        const Samples played = speech(12 * kSecond, 0);
        MadeUpRoom near;
        near.delayMs = 40;
        MadeUpRoom far;
        far.delayMs = 150;
        dsp::EchoDelay finder;
        feed(finder, played, heardIn(near, played), 0, 5 * kSecond);
        feed(finder, played, heardIn(far, played), 5 * kSecond, 12 * kSecond);
        QVERIFY(std::abs(static_cast<int>(finder.delay()->count()) - 150) <= 4);
    }
};

QTEST_APPLESS_MAIN(EchoDelayTest)
#include "test_dsp_echo_delay.moc"
