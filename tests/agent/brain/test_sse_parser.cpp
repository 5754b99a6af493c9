#include "agent/brain/sse_parser.h"

#include <QtTest/QtTest>

#include <vector>

using namespace vivavoce;
using agent::brain::SseEvent;
using agent::brain::SseParser;

namespace {

std::vector<std::string> read(const std::vector<std::string_view>& pieces)
{
    std::vector<std::string> events;
    SseParser parser([&](SseEvent event) { events.push_back(event.type + "=" + event.data); });
    for (const auto piece : pieces) {
        if (!parser.feed(piece)) {
            events.push_back("fault");
        }
    }
    return events;
}

} // namespace

class TestSseParser : public QObject {
    Q_OBJECT

private slots:
    void feed_AnyLineEnds_CutAtEveryByte_GivesTheSameEvents_data()
    {
        QTest::addColumn<QByteArray>("stream");
        QTest::addColumn<QStringList>("events");
        const QStringList expected{"message=one", "ping=two\nlines", "message=[DONE]"};
        const QByteArray lf =
            ": comment\ndata: one\n\nid: 7\nevent: ping\ndata:two\ndata: lines\n\n\n\ndata: [DONE]\n\ndata: cut off";
        QTest::newRow("LF") << lf << expected;
        QTest::newRow("CRLF") << QByteArray(lf).replace("\n", "\r\n") << expected;
        QTest::newRow("CR") << QByteArray(lf).replace("\n", "\r") << expected;
        QTest::newRow("byte order mark") << "\xEF\xBB\xBF" + lf << expected;
        QTest::newRow("no data") << QByteArray("event: x\n\n:\n\nretry: 5\n\n") << QStringList{};
        QTest::newRow("empty data") << QByteArray("data\n\n") << QStringList{"message="};
        QTest::newRow("one space goes") << QByteArray("data:  x\n\n") << QStringList{"message= x"};
    }

    void feed_AnyLineEnds_CutAtEveryByte_GivesTheSameEvents()
    {
        QFETCH(QByteArray, stream);
        QFETCH(QStringList, events);
        std::vector<std::string> expected;
        for (const QString& event : events) {
            expected.push_back(event.toStdString());
        }
        const std::string_view all(stream.constData(), static_cast<std::size_t>(stream.size()));
        for (std::size_t cut = 0; cut <= all.size(); ++cut) {
            QCOMPARE(read({all.substr(0, cut), all.substr(cut)}), expected);
        }
        std::vector<std::string_view> bytes;
        for (std::size_t i = 0; i < all.size(); ++i) {
            bytes.push_back(all.substr(i, 1));
        }
        QCOMPARE(read(bytes), expected);
    }

    void feed_EndlessLine_IsRefused()
    {
        SseParser parser([](SseEvent) {});
        const std::string piece(64 * 1024, 'x');
        core::Expected<void, core::Error> fed;
        for (int i = 0; i < 17 && fed; ++i) {
            fed = parser.feed(piece);
        }
        QVERIFY(!fed);
        QCOMPARE(fed.error().code, core::ErrorCode::ProviderMessageTooBig);
    }

    void feed_EndlessEventOfShortLines_IsRefused()
    {
        SseParser parser([](SseEvent) {});
        const std::string line = "data: " + std::string(1000, 'x') + "\n";
        core::Expected<void, core::Error> fed;
        for (int i = 0; i < 1100 && fed; ++i) {
            fed = parser.feed(line);
        }
        QVERIFY(!fed);
    }
};

QTEST_GUILESS_MAIN(TestSseParser)
#include "test_sse_parser.moc"
