#include "core/base/g711.h"

#include <QTest>

#include <cmath>
#include <cstdlib>

using namespace vivavoce::core;

/// Values from the tables of ITU-T G.711 (µ-law table 2, A-law table 1), scaled to 16 bits.
class G711Test : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void decode_KnownCodes()
    {
        QCOMPARE(int(decodeMuLaw(0xFF)), 0);
        QCOMPARE(int(decodeMuLaw(0x7F)), 0);
        QCOMPARE(int(decodeMuLaw(0x80)), 32'124);
        QCOMPARE(int(decodeMuLaw(0x00)), -32'124);
        QCOMPARE(int(decodeMuLaw(0xFE)), 8);
        QCOMPARE(int(decodeALaw(0xD5)), 8);
        QCOMPARE(int(decodeALaw(0x55)), -8);
        QCOMPARE(int(decodeALaw(0xAA)), 32'256);
        QCOMPARE(int(decodeALaw(0x2A)), -32'256);
    }

    void encode_KnownSamples()
    {
        QCOMPARE(int(encodeMuLaw(0)), 0xFF);
        QCOMPARE(int(encodeMuLaw(32'767)), 0x80);
        QCOMPARE(int(encodeMuLaw(-32'768)), 0x00);
        QCOMPARE(int(encodeALaw(0)), 0xD5);
        QCOMPARE(int(encodeALaw(-1)), 0x55);
        QCOMPARE(int(encodeALaw(32'767)), 0xAA);
        QCOMPARE(int(encodeALaw(-32'768)), 0x2A);
    }

    void everyCode_SurvivesTheWayThereAndBack()
    {
        for (int code = 0; code < 256; ++code) {
            const auto byte = static_cast<std::uint8_t>(code);
            // µ-law has two zeros.
            if (byte != 0x7F) {
                QCOMPARE(int(encodeMuLaw(decodeMuLaw(byte))), code);
            }
            QCOMPARE(int(encodeALaw(decodeALaw(byte))), code);
        }
    }

    void everySample_IsWithinItsStep()
    {
        for (int sample = -32'768; sample <= 32'767; ++sample) {
            const auto value = static_cast<std::int16_t>(sample);
            const int allowed = std::max(16, std::abs(sample) / 16 + 8);
            // The largest µ-law code stands for 32,124.
            QVERIFY2(std::abs(decodeMuLaw(encodeMuLaw(value)) - sample) <= std::max(allowed, 650),
                qPrintable(QString::number(sample)));
            QVERIFY2(std::abs(decodeALaw(encodeALaw(value)) - sample) <= allowed, qPrintable(QString::number(sample)));
        }
    }
};

QTEST_GUILESS_MAIN(G711Test)
#include "test_g711.moc"
