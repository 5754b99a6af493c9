#include "audio/dsp/voice_processor.h"

#include <QTest>

#include <array>
#include <cmath>
#include <numbers>
#include <random>

using namespace vivavoce;
using dsp::VoiceProcessor;

class VoiceProcessorTest : public QObject {
    Q_OBJECT

    using Frame = std::array<std::int16_t, VoiceProcessor::kFrameSamples>;

    /// A buzz with the harmonics of a voice, a syllable every quarter of a second.
    static Frame voiced(std::size_t frame)
    {
        Frame samples{};
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const double t = static_cast<double>(frame * samples.size() + i) / 16'000;
            const double syllable = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * 4 * t);
            double sum = 0;
            for (int harmonic = 1; harmonic <= 12; ++harmonic) {
                sum += std::sin(2 * std::numbers::pi * 140 * harmonic * t) / harmonic;
            }
            samples[i] = static_cast<std::int16_t>(std::lround(6000 * syllable * sum));
        }
        return samples;
    }

private Q_SLOTS:
    void silence_HasNoVoice()
    {
        auto processor = VoiceProcessor::create();
        QVERIFY(processor.has_value());
        for (int i = 0; i < 100; ++i) {
            Frame silence{};
            const auto heard = processor->process(silence);
            QVERIFY(!heard.hasVoice || i < 10);
            QVERIFY(heard.levelDbfs <= -90);
        }
    }

    void voice_IsHeard()
    {
        auto processor = VoiceProcessor::create();
        int voiced = 0;
        for (std::size_t i = 0; i < 200; ++i) {
            Frame frame = VoiceProcessorTest::voiced(i);
            voiced += processor->process(frame).hasVoice ? 1 : 0;
        }
        QVERIFY2(voiced > 100, qPrintable(QString::number(voiced)));
    }

    void noise_IsMadeQuieter()
    {
        auto processor = VoiceProcessor::create();
        std::mt19937 random(1);
        double before = 0;
        double after = 0;
        for (int i = 0; i < 500; ++i) {
            Frame frame{};
            for (std::int16_t& sample : frame) {
                sample = static_cast<std::int16_t>(static_cast<int>(random() % 2000) - 1000);
            }
            double energy = 0;
            for (const std::int16_t sample : frame) {
                energy += static_cast<double>(sample) * sample;
            }
            const auto heard = processor->process(frame);
            // The suppressor learns the noise first.
            if (i > 300) {
                before += 10 * std::log10(energy / static_cast<double>(frame.size()) / (32768.0 * 32768.0));
                after += heard.levelDbfs;
            }
        }
        QVERIFY2((before - after) / 199 > 10, qPrintable(QString::number((before - after) / 199)));
    }
};

QTEST_GUILESS_MAIN(VoiceProcessorTest)
#include "test_dsp_voice_processor.moc"
