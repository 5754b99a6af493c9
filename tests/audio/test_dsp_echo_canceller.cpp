#include "audio/dsp/echo_canceller.h"
#include "audio/dsp/wav_file.h"
#include "bench/audio/echo_trial.h"

#include <QTest>

#include <vector>

using namespace vivavoce;
using namespace vivavoce::bench;

namespace {

constexpr std::size_t kRate = 48'000;
constexpr dsp::EchoCanceller::Settings kEchoAlone{true, false, false};

std::vector<std::int16_t> question()
{
    const std::string path = qEnvironmentVariable("VV_SOURCE_DIR").toStdString() + "/resources/recordings/question.wav";
    auto read = dsp::readWav(path, dsp::EchoCanceller::kRate);
    return read ? *read : std::vector<std::int16_t>();
}

/// The bundled question over and over.
std::vector<std::int16_t> speech(std::size_t seconds, std::size_t offset)
{
    const std::vector<std::int16_t> once = question();
    std::vector<std::int16_t> samples(seconds * kRate);
    for (std::size_t i = 0; i < samples.size() && !once.empty(); ++i) {
        samples[i] = static_cast<std::int16_t>(once[(i + offset) % once.size()] / 2);
    }
    return samples;
}

} // namespace

/// The figures are bench/audio's; here is what a mistake in the wiring would break.
class EchoCancellerTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY2(!question().empty(), "the bundled recording"); }

    void echo_IsTakenOut()
    {
        auto canceller = dsp::EchoCanceller::create(kEchoAlone);
        QVERIFY(canceller.has_value());
        const auto far = speech(10, 0);
        const auto echo = MadeUpRoom().echoOf(far);
        const auto out = runCanceller(*canceller, far, echo, {}, core::Milliseconds{100});
        const double loss = decibels(echo, 5 * kRate, 10 * kRate) - decibels(out, 5 * kRate, 10 * kRate);
        QVERIFY2(loss >= 30, qPrintable(QString::number(loss)));
    }

    void delay_ThatWasToldWrong_IsFoundOut()
    {
        for (const int told : {0, 300}) {
            auto canceller = dsp::EchoCanceller::create(kEchoAlone);
            const auto far = speech(12, 0);
            const auto echo = MadeUpRoom().echoOf(far);
            const auto out = runCanceller(*canceller, far, echo, {}, core::Milliseconds{told});
            const double loss = decibels(echo, 8 * kRate, 12 * kRate) - decibels(out, 8 * kRate, 12 * kRate);
            QVERIFY2(loss >= 30, qPrintable(QStringLiteral("told %1 ms: %2 dB").arg(told).arg(loss)));
        }
    }

    void echo_WithTheCancellerOff_Stays()
    {
        auto canceller = dsp::EchoCanceller::create({false, false, false});
        const auto far = speech(6, 0);
        const auto echo = MadeUpRoom().echoOf(far);
        const auto out = runCanceller(*canceller, far, echo, {}, core::Milliseconds{100});
        const double loss = decibels(echo, 3 * kRate, 6 * kRate) - decibels(out, 3 * kRate, 6 * kRate);
        QVERIFY2(loss < 6, qPrintable(QString::number(loss)));
    }

    void echo_BeforeTheRoomIsLearnt_DoesNotGetThrough()
    {
        // 150 ms later than the devices tell, as a wireless loudspeaker does.
        auto canceller = dsp::EchoCanceller::create({});
        const auto far = speech(10, 0);
        std::vector<double> echo = MadeUpRoom().echoOf(far);
        echo.insert(echo.begin(), kRate * 150 / 1000, 0.0);
        echo.resize(far.size());
        const auto out = runCanceller(*canceller, far, echo, {}, core::Milliseconds{50});
        for (std::size_t second = 0; second < 10; ++second) {
            const double left = decibels(out, second * kRate, (second + 1) * kRate);
            QVERIFY2(left < decibels(echo, 4 * kRate, 5 * kRate) - 25,
                qPrintable(QStringLiteral("second %1: %2 dB").arg(second).arg(left)));
        }
    }

    void voice_WhereThereIsNoEcho_IsHeardWithinTwoSeconds()
    {
        // Headphones.
        auto canceller = dsp::EchoCanceller::create(kEchoAlone);
        const auto far = speech(6, 0);
        auto near = speech(6, 60'000);
        std::fill(near.begin(), near.begin() + 2 * kRate, std::int16_t{0});
        const std::vector<double> quiet(far.size());
        const auto out = runCanceller(*canceller, far, quiet, near, core::Milliseconds{50});
        QVERIFY(decibels(out, 2 * kRate, 4 * kRate) > decibels(near, 2 * kRate, 4 * kRate) - 6);
    }

    void voice_OfAMutedMicrophone_StaysWhereItIs_AlsoWhereItIsHandedOnLater()
    {
        constexpr std::size_t kFrame = dsp::EchoCanceller::kFrameSamples;
        auto canceller = dsp::EchoCanceller::create(kEchoAlone);
        // Headphones: nothing comes back, and the user speaks from the beginning, at first muted.
        const auto far = speech(6, 0);
        const auto near = speech(6, 60'000);
        std::vector<std::int16_t> out(far.size());
        std::size_t held = 0;
        for (std::size_t at = 0; at + kFrame <= far.size(); at += kFrame) {
            canceller->rendered(std::span<const std::int16_t, kFrame>(far.data() + at, kFrame));
            const auto voice = canceller->process(std::span<const std::int16_t, kFrame>(near.data() + at, kFrame),
                core::Milliseconds{50}, at < 3 * kRate / 2);
            held = std::max(held, voice.size());
            std::copy(
                voice.begin(), voice.end(), out.begin() + static_cast<std::ptrdiff_t>(at + kFrame - voice.size()));
        }
        QVERIFY2(held > kRate, "nothing was held back: the trial is void");
        QVERIFY(decibels(out, 0, 3 * kRate / 2) < 0);
        QVERIFY(decibels(out, 3 * kRate / 2, 3 * kRate) > decibels(near, 3 * kRate / 2, 3 * kRate) - 6);
    }

    void devices_ThatStumbleWhileNobodyPlays_LoseNothingOfTheVoice()
    {
        constexpr std::size_t kFrame = dsp::EchoCanceller::kFrameSamples;
        auto canceller = dsp::EchoCanceller::create(kEchoAlone);
        const auto far = speech(8, 0);
        (void)runCanceller(*canceller, far, MadeUpRoom().echoOf(far), {}, core::Milliseconds{100});
        const std::vector<std::int16_t> quiet(kFrame);
        const auto near = speech(4, 60'000);
        std::vector<std::int16_t> out;
        for (std::size_t at = 0; at + kFrame <= near.size(); at += kFrame) {
            // A second into it the microphone loses 30 ms.
            for (int i = 0; i < (at == kRate ? 4 : 1); ++i) {
                canceller->rendered(std::span<const std::int16_t, kFrame>(quiet));
            }
            const auto voice = canceller->process(
                std::span<const std::int16_t, kFrame>(near.data() + at, kFrame), core::Milliseconds{100});
            out.insert(out.end(), voice.begin(), voice.end());
        }
        QCOMPARE(out.size(), near.size());
        QVERIFY(decibels(out, kRate, 3 * kRate) > decibels(near, kRate, 3 * kRate) - 6);
    }

    void voice_WhileNobodyPlays_IsNeverShutOut()
    {
        auto canceller = dsp::EchoCanceller::create(kEchoAlone);
        const auto near = speech(3, 0);
        const std::vector<double> quiet(near.size());
        const std::vector<std::int16_t> nobody(near.size());
        const auto out = runCanceller(*canceller, nobody, quiet, near, core::Milliseconds{50});
        QVERIFY(decibels(out, 0, 2 * kRate) > decibels(near, 0, 2 * kRate) - 3);
    }

    void voiceOfTheUser_StaysInTheEcho()
    {
        const auto far = speech(10, 0);
        const auto near = speech(10, 60'000);
        const std::vector<double> quiet(far.size());
        const std::vector<std::int16_t> nobody(far.size());
        auto alone = dsp::EchoCanceller::create(kEchoAlone);
        auto together = dsp::EchoCanceller::create(kEchoAlone);
        const auto clean = runCanceller(*alone, nobody, quiet, near, core::Milliseconds{100});
        const auto mixed = runCanceller(*together, far, MadeUpRoom().echoOf(far), near, core::Milliseconds{100});
        const double share = shareOf(clean, mixed, 5 * kRate);
        QVERIFY2(share > -9, qPrintable(QString::number(share)));
    }

    void quietVoice_IsLevelledUp()
    {
        auto plain = dsp::EchoCanceller::create({false, false, false});
        auto levelled = dsp::EchoCanceller::create({false, false, true});
        auto near = speech(8, 0);
        for (std::int16_t& sample : near) {
            sample = static_cast<std::int16_t>(sample / 8);
        }
        const std::vector<double> quiet(near.size());
        const std::vector<std::int16_t> nobody(near.size());
        const auto before = runCanceller(*plain, nobody, quiet, near, core::Milliseconds{0});
        const auto after = runCanceller(*levelled, nobody, quiet, near, core::Milliseconds{0});
        QVERIFY(decibels(after, 4 * kRate, 8 * kRate) > decibels(before, 4 * kRate, 8 * kRate) + 3);
    }

    void settings_CanChangeOnTheWay()
    {
        auto canceller = dsp::EchoCanceller::create(kEchoAlone);
        const auto far = speech(6, 0);
        const auto echo = MadeUpRoom().echoOf(far);
        (void)runCanceller(*canceller, far, echo, {}, core::Milliseconds{100});
        canceller->set({false, false, false});
        const auto out = runCanceller(*canceller, far, echo, {}, core::Milliseconds{100});
        QVERIFY(decibels(echo, 3 * kRate, 6 * kRate) - decibels(out, 3 * kRate, 6 * kRate) < 6);
    }
};

QTEST_APPLESS_MAIN(EchoCancellerTest)
#include "test_dsp_echo_canceller.moc"
