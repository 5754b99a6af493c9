#include "core/base/error.h"
#include "core/base/pcm.h"
#include "core/base/random_id.h"
#include "core/base/units.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <set>

using namespace vivavoce::core;

class UnitsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void duration_RoundsDown()
    {
        QCOMPARE(FrameCount{24'000}.duration(kRealtimeRate), Milliseconds{1000});
        QCOMPARE(FrameCount{47}.duration(kRealtimeRate), Milliseconds{1});
        QCOMPARE(FrameCount{23}.duration(kRealtimeRate), Milliseconds{0});
        QCOMPARE(FrameCount{100}.duration(SampleRate{}), Milliseconds{0});
    }

    void frames_OfADuration_AreExact()
    {
        QCOMPARE(FrameCount::of(Milliseconds{20}, kRealtimeRate).value(), std::int64_t{480});
        QCOMPARE(FrameCount::of(Milliseconds{3'600'000}, SampleRate{192'000}).value(), std::int64_t{691'200'000});
    }

    void rate_OutsideWhatDevicesHave_IsNotValid()
    {
        QVERIFY(SampleRate{8'000}.isValid());
        QVERIFY(SampleRate{192'000}.isValid());
        QVERIFY(!SampleRate{7'999}.isValid());
        QVERIFY(!SampleRate{192'001}.isValid());
        QVERIFY(!SampleRate{}.isValid());
    }

    void codeTexts_AreDistinctAndHaveExitCodes()
    {
        std::set<std::string_view> texts;
        for (int i = 0; i <= static_cast<int>(ErrorCode::Internal); ++i) {
            const auto code = static_cast<ErrorCode>(i);
            QVERIFY2(texts.insert(codeText(code)).second, codeText(code).data());
            QVERIFY(exitCode(code) >= 0 && exitCode(code) <= 9);
        }
        QCOMPARE(exitCode(ErrorCode::NotAuthorised), 3);
        QCOMPARE(exitCode(ErrorCode::RateLimited), 7);
        QCOMPARE(exitCode(ErrorCode::Timeout), 6);
        QVERIFY(!isRetryable(ErrorCode::NotAuthorised));
    }

    void pcm_IsLittleEndianBothWays()
    {
        const std::vector<std::int16_t> samples{0, 1, -1, 32'767, -32'768, 0x1234};
        const Bytes bytes = pcmBytes(samples);
        QVERIFY(bytes == (Bytes{0, 0, 1, 0, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0x80, 0x34, 0x12}));
        QVERIFY(pcmSamples(bytes) == samples);
        QCOMPARE(pcmSamples(Bytes{1, 2, 3}).size(), std::size_t{1});
    }

    void pcm_LastsByItsRate()
    {
        QCOMPARE(pcmDuration(32'000, SampleRate{16'000}), Milliseconds{1'000});
        QCOMPARE(pcmDuration(32'000, SampleRate{48'000}), Milliseconds{333});
        QCOMPARE(pcmBytesIn(Milliseconds{250}, SampleRate{16'000}), std::size_t{8'000});
        QCOMPARE(pcmBytesIn(Milliseconds{-1}, SampleRate{16'000}), std::size_t{0});
    }

    void pcm_AtAnotherRate_IsTheSameTone_data()
    {
        QTest::addColumn<unsigned>("from");
        QTest::addColumn<unsigned>("to");
        for (const auto& [from, to] : {std::pair(24'000U, 16'000U), std::pair(24'000U, 48'000U),
                 std::pair(48'000U, 8'000U), std::pair(16'000U, 44'100U)}) {
            QTest::addRow("%u to %u", from, to) << from << to;
        }
    }
    void pcm_AtAnotherRate_IsTheSameTone()
    {
        QFETCH(unsigned, from);
        QFETCH(unsigned, to);
        const auto tone = [](unsigned rate, double hertz) {
            std::vector<std::int16_t> samples(rate / 2);
            for (std::size_t i = 0; i < samples.size(); ++i) {
                samples[i] = static_cast<std::int16_t>(
                    std::lrint(10'000 * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / rate)));
            }
            return samples;
        };
        const auto made = pcmSamples(pcmAtRate(pcmBytes(tone(from, 1'000)), SampleRate{from}, SampleRate{to}));
        const auto ideal = tone(to, 1'000);
        QCOMPARE(made.size(), ideal.size());
        double noise = 0;
        double signal = 0;
        for (std::size_t i = to / 100; i < made.size() - to / 100; ++i) {
            noise += std::pow(made[i] - ideal[i], 2);
            signal += std::pow(ideal[i], 2);
        }
        QVERIFY2(signal > noise * 1e5, qPrintable(QString::number(10 * std::log10(signal / noise))));
        // What the lower rate cannot carry does not come back as something else.
        const auto high = pcmSamples(pcmAtRate(pcmBytes(tone(48'000, 7'000)), SampleRate{48'000}, SampleRate{8'000}));
        const auto loud = [](std::int16_t sample) { return std::abs(sample) > 100; };
        QVERIFY(std::none_of(high.begin() + 80, high.end() - 80, loud));
    }

    void randomIds_AreLongAndDoNotRepeat()
    {
        std::set<std::string> ids;
        for (int i = 0; i < 1000; ++i) {
            const std::string id = randomId();
            QCOMPARE(id.size(), std::size_t{22});
            QVERIFY(ids.insert(id).second);
        }
    }
};

QTEST_GUILESS_MAIN(UnitsTest)
#include "test_units.moc"
