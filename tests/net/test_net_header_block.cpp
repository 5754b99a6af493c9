#include "net/internal/header_block.h"

#include <QTest>

using vivavoce::net::isCleanHeaderBlock;

class HeaderBlockTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void block_IsJudged_data()
    {
        QTest::addColumn<QByteArray>("block");
        QTest::addColumn<bool>("isClean");
        QTest::newRow("simple") << QByteArray("GET / HTTP/1.1\r\nHost: a\r\n\r\n") << true;
        QTest::newRow("with a body's length")
            << QByteArray("POST /x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n") << true;
        QTest::newRow("chunked") << QByteArray("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                                 << true;
        QTest::newRow("bytes beyond ASCII in a value")
            << QByteArray("GET / HTTP/1.1\r\nHost: a\r\nX: \xC3\xA9\r\n\r\n") << true;
        QTest::newRow("no Host") << QByteArray("GET / HTTP/1.1\r\nX: a\r\n\r\n") << false;
        QTest::newRow("two Hosts") << QByteArray("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n") << false;
        QTest::newRow("folded line") << QByteArray("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n") << false;
        QTest::newRow("folded with a tab")
            << QByteArray("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc: d\r\n\r\n") << false;
        QTest::newRow("length and encoding")
            << QByteArray("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n")
            << false;
        QTest::newRow("two lengths") << QByteArray(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n")
                                     << false;
        QTest::newRow("two encodings") << QByteArray(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                                       << false;
        QTest::newRow("space before the colon")
            << QByteArray("GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\n") << false;
        QTest::newRow("bare LF") << QByteArray("GET / HTTP/1.1\nHost: a\r\n\r\n") << false;
        QTest::newRow("bare LF in a value") << QByteArray("GET / HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n") << false;
        QTest::newRow("bare CR") << QByteArray("GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n") << false;
        QTest::newRow("NUL") << QByteArray("GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n", 35) << false;
        QTest::newRow("line without a colon") << QByteArray("GET / HTTP/1.1\r\nHost: a\r\nHello\r\n\r\n") << false;
        QTest::newRow("empty name") << QByteArray("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n") << false;
        QTest::newRow("HTTP/2 preface") << QByteArray("PRI * HTTP/2.0\r\nHost: a\r\n\r\n") << false;
        QTest::newRow("two spaces") << QByteArray("GET  / HTTP/1.1\r\nHost: a\r\n\r\n") << false;
        QTest::newRow("space in the target") << QByteArray("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n") << false;
        QTest::newRow("no version") << QByteArray("GET /\r\nHost: a\r\n\r\n") << false;
        QTest::newRow("nothing") << QByteArray("\r\n") << false;
        QTest::newRow("no end") << QByteArray("GET / HTTP/1.1\r\nHost: a\r\n") << false;
    }
    void block_IsJudged()
    {
        QFETCH(QByteArray, block);
        QFETCH(bool, isClean);
        QCOMPARE(isCleanHeaderBlock({block.constData(), static_cast<std::size_t>(block.size())}), isClean);
    }
};

QTEST_GUILESS_MAIN(HeaderBlockTest)
#include "test_net_header_block.moc"
