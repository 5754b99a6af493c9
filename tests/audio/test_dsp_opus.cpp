#include "audio/dsp/opus_codec.h"
#include "tests/audio/tones.h"

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;

class OpusTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tone_ComesBack_data()
    {
        QTest::addColumn<unsigned>("rate");
        for (const unsigned rate : {8'000U, 16'000U, 24'000U, 48'000U}) {
            QTest::newRow(std::to_string(rate).c_str()) << rate;
        }
    }
    void tone_ComesBack()
    {
        QFETCH(unsigned, rate);
        auto encoder = dsp::OpusEncoder::create(core::SampleRate{rate}, 64'000);
        auto decoder = dsp::OpusDecoder::create(core::SampleRate{rate});
        QVERIFY(encoder && decoder);
        const auto in = sine(440, 0.5, rate, rate);
        std::vector<std::int16_t> out;
        const std::size_t frame = rate / 50;
        for (std::size_t at = 0; at + frame <= in.size(); at += frame) {
            const auto packet = encoder->encode(std::span(in).subspan(at, frame));
            QVERIFY(packet && packet->size() < 400);
            const auto decoded = decoder->decode(*packet);
            QVERIFY(decoded && decoded->size() == frame);
            out.insert(out.end(), decoded->begin(), decoded->end());
        }
        QVERIFY(signalToNoise(std::span(out).subspan(rate / 2, rate / 4), 440, rate) > 20);
        QVERIFY(encoder->latency().value() > 0);
    }

    void wrongInput_IsRefused()
    {
        QVERIFY(!dsp::OpusEncoder::create(core::SampleRate{44'100}, 32'000));
        QVERIFY(!dsp::OpusDecoder::create(core::SampleRate{44'100}));
        auto encoder = dsp::OpusEncoder::create(core::SampleRate{24'000}, 32'000);
        QVERIFY(!encoder->encode(std::vector<std::int16_t>(479)));
        QVERIFY(!encoder->encode({}));
        auto decoder = dsp::OpusDecoder::create(core::SampleRate{24'000});
        QVERIFY(!decoder->decode({}));
        QVERIFY(!decoder->decode(core::Bytes{0xFF, 0xFF, 0xFF}));
    }

    void lostPacket_IsConcealed()
    {
        auto encoder = dsp::OpusEncoder::create(core::SampleRate{24'000}, 32'000);
        auto decoder = dsp::OpusDecoder::create(core::SampleRate{24'000});
        const auto in = sine(440, 0.5, 24'000, 4'800);
        for (std::size_t at = 0; at < in.size(); at += 480) {
            (void)decoder->decode(*encoder->encode(std::span(in).subspan(at, 480)));
        }
        const auto guessed = decoder->conceal();
        QCOMPARE(guessed.size(), std::size_t{480});
        QVERIFY(std::any_of(guessed.begin(), guessed.end(), [](std::int16_t sample) { return sample > 3000; }));
    }
};

QTEST_APPLESS_MAIN(OpusTest)
#include "test_dsp_opus.moc"
