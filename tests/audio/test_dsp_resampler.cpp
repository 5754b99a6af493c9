#include "audio/dsp/resampler.h"

#include <QTest>

#include <cmath>
#include <numbers>

using namespace vivavoce;
using core::SampleRate;

class ResamplerTest : public QObject {
    Q_OBJECT

    static std::vector<std::int16_t> tone(double hz, SampleRate rate, std::size_t samples)
    {
        std::vector<std::int16_t> result(samples);
        for (std::size_t i = 0; i < samples; ++i) {
            result[i] = static_cast<std::int16_t>(
                std::lround(16'000 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate.hz())));
        }
        return result;
    }

    /// What is not the tone itself, against the tone: the best fitting sine is taken out.
    static double signalToNoiseDb(std::span<const std::int16_t> samples, double hz, SampleRate rate)
    {
        double sine = 0;
        double cosine = 0;
        const auto phase = [&](std::size_t i) {
            return 2 * std::numbers::pi * hz * static_cast<double>(i) / rate.hz();
        };
        for (std::size_t i = 0; i < samples.size(); ++i) {
            sine += samples[i] * std::sin(phase(i));
            cosine += samples[i] * std::cos(phase(i));
        }
        sine *= 2.0 / static_cast<double>(samples.size());
        cosine *= 2.0 / static_cast<double>(samples.size());
        double noise = 0;
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const double rest = samples[i] - sine * std::sin(phase(i)) - cosine * std::cos(phase(i));
            noise += rest * rest;
        }
        const double power = (sine * sine + cosine * cosine) / 2;
        return 10 * std::log10(power / (noise / static_cast<double>(samples.size())));
    }

private Q_SLOTS:
    void tone_ComesThroughClean_data()
    {
        QTest::addColumn<int>("from");
        QTest::addColumn<int>("to");
        for (const auto& [from, to] : {std::pair{48'000, 24'000}, {44'100, 24'000}, {16'000, 24'000}, {24'000, 16'000},
                 {8'000, 24'000}, {11'025, 16'000}, {192'000, 24'000}}) {
            QTest::addRow("%d to %d", from, to) << from << to;
        }
    }
    void tone_ComesThroughClean()
    {
        QFETCH(int, from);
        QFETCH(int, to);
        const SampleRate source(static_cast<std::uint32_t>(from));
        const SampleRate target(static_cast<std::uint32_t>(to));
        auto resampler = dsp::Resampler::create(source, target);
        QVERIFY(resampler.has_value());
        const auto out = resampler->process(tone(1000, source, source.hz()));
        // A whole number of periods from the middle: the filter has settled there.
        const std::size_t begin = target.hz() / 4;
        const double snr = signalToNoiseDb(std::span(out).subspan(begin, target.hz() / 2), 1000, target);
        QVERIFY2(snr >= 80, qPrintable(QString::number(snr)));
    }

    void pieces_GiveTheSameSamplesAsTheWhole()
    {
        const auto sound = tone(440, SampleRate{44'100}, 20'000);
        auto whole = dsp::Resampler::create(SampleRate{44'100}, SampleRate{24'000});
        auto pieces = dsp::Resampler::create(SampleRate{44'100}, SampleRate{24'000});
        const auto expected = whole->process(sound);
        std::vector<std::int16_t> got;
        std::size_t length = 1;
        for (std::size_t i = 0; i < sound.size(); i += length, length = length % 701 + 1) {
            const auto piece = pieces->process(std::span(sound).subspan(i, std::min(length, sound.size() - i)));
            got.insert(got.end(), piece.begin(), piece.end());
        }
        QVERIFY(got == expected);
    }

    void flush_BringsTheEnd()
    {
        auto resampler = dsp::Resampler::create(SampleRate{16'000}, SampleRate{24'000});
        const auto body = resampler->process(tone(440, SampleRate{16'000}, 16'000));
        const auto rest = resampler->flush();
        QVERIFY(body.size() + rest.size() >= 24'000);
        QVERIFY(body.size() + rest.size() < 24'000 + 200);
    }

    void sameRate_IsUntouched()
    {
        auto resampler = dsp::Resampler::create(SampleRate{24'000}, SampleRate{24'000});
        const auto sound = tone(1000, SampleRate{24'000}, 1000);
        QVERIFY(resampler->process(sound) == sound);
        QCOMPARE(resampler->latency().value(), std::int64_t{0});
        QVERIFY(resampler->flush().empty());
    }

    void ratesThatNobodyHas_AreRefused()
    {
        QVERIFY(!dsp::Resampler::create(SampleRate{0}, SampleRate{24'000}).has_value());
        QVERIFY(!dsp::Resampler::create(SampleRate{24'000}, SampleRate{1'000'000}).has_value());
    }
};

QTEST_GUILESS_MAIN(ResamplerTest)
#include "test_dsp_resampler.moc"
