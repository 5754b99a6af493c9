#include "core/base/error.h"
#include "core/base/pcm.h"
#include "core/base/random_id.h"
#include "core/base/units.h"

#include <QTest>

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
