#include "net/internal/header_block.h"

#include <QTest>

#include <string>

using namespace vivavoce::net;

namespace {

/// A QByteArray stands for the block, because only that carries a NUL through a test table.
std::string_view view(const QByteArray& bytes)
{
    return {bytes.constData(), static_cast<std::size_t>(bytes.size())};
}

void row(const char* name, QByteArray block, bool isClean)
{
    QTest::newRow(name) << std::move(block) << isClean;
}

} // namespace

class TestNetRequestSmuggling : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void isCleanHeaderBlock_RequestLines_AreStrict_data()
    {
        QTest::addColumn<QByteArray>("block");
        QTest::addColumn<bool>("isClean");
        const auto line = [](const char* name, const char* text, bool isClean) {
            row(name, QByteArray(text) + "\r\nHost: a\r\n\r\n", isClean);
        };
        line("plain", "GET / HTTP/1.1", true);
        line("1.0", "GET / HTTP/1.0", true);
        line("unknown method", "BREW /pot HTTP/1.1", true);
        line("absolute form", "GET http://a/b?c HTTP/1.1", true);
        line("absolute form of an IPv6 address", "GET https://[::1]:80?c HTTP/1.1", true);
        line("absolute form without a host", "GET http:///b HTTP/1.1", false);
        line("absolute form of a port", "GET http://:80/b HTTP/1.1", false);
        line("absolute form with a user", "GET HTTP://u@a/b HTTP/1.1", false);
        line("absolute form with a list", "GET http://a,b/ HTTP/1.1", false);
        line("asterisk", "OPTIONS * HTTP/1.1", true);
        line("no version", "GET /", false);
        line("two spaces", "GET  / HTTP/1.1", false);
        line("space in target", "GET /a b HTTP/1.1", false);
        line("tab for a space", "GET\t/ HTTP/1.1", false);
        line("leading space", " GET / HTTP/1.1", false);
        line("trailing space", "GET / HTTP/1.1 ", false);
        line("lower-case version", "GET / http/1.1", false);
        line("version 1.2", "GET / HTTP/1.2", false);
        line("version 2.0", "GET / HTTP/2.0", false);
        line("version 1.10", "GET / HTTP/1.10", false);
        line("method not a token", "G(T / HTTP/1.1", false);
        line("fragment", "GET /a#b HTTP/1.1", false);
        line("bytes above ASCII", "GET /\xC3\xA9 HTTP/1.1", false);
        line("no method", "/ HTTP/1.1", false);
    }
    void isCleanHeaderBlock_RequestLines_AreStrict()
    {
        QFETCH(QByteArray, block);
        QFETCH(bool, isClean);
        QCOMPARE(isCleanHeaderBlock(view(block)), isClean);
    }

    void isCleanHeaderBlock_Fields_AreReadInOneWayOnly_data()
    {
        QTest::addColumn<QByteArray>("block");
        QTest::addColumn<bool>("isClean");
        const auto fields = [](const char* name, QByteArray text, bool isClean) {
            row(name, "POST / HTTP/1.1\r\n" + text + "\r\n", isClean);
        };
        fields("one host", "Host: a\r\n", true);
        fields("host with port", "Host: localhost:8080\r\n", true);
        fields("IPv6 host", "Host: [::1]:8080\r\n", true);
        fields("any case", "hOsT:a\r\n", true);
        fields("value with tab and UTF-8", "Host: a\r\nX: a\tb \xC3\xA9\r\n", true);
        fields("empty value", "Host: a\r\nX:\r\n", true);
        fields("length", "Host: a\r\nContent-Length: 5\r\n", true);
        fields("chunked", "Host: a\r\nTransfer-Encoding: Chunked\r\n", true);
        fields("no host", "X: a\r\n", false);
        fields("two hosts", "Host: a\r\nHost: a\r\n", false);
        fields("two hosts, other case", "Host: a\r\nhost: b\r\n", false);
        fields("empty host", "Host:\r\n", false);
        fields("port without a host", "Host: :80\r\n", false);
        fields("list of hosts", "Host: a, b\r\n", false);
        fields("host with user", "Host: u@a\r\n", false);
        fields("host with path", "Host: a/b\r\n", false);
        fields("obs-fold", "Host: a\r\nX: a\r\n b\r\n", false);
        fields("obs-fold by tab", "Host: a\r\nX: a\r\n\tb\r\n", false);
        fields("fold before the first field", " X: a\r\nHost: a\r\n", false);
        fields("space before the colon", "Host : a\r\n", false);
        fields("space in a name", "Host: a\r\nX Y: a\r\n", false);
        fields("no name", "Host: a\r\n: a\r\n", false);
        fields("no colon", "Host: a\r\nX\r\n", false);
        fields("NUL in a value", QByteArray("Host: a\r\nX: a\0b\r\n", 17), false);
        fields("escape in a value", "Host: a\r\nX: a\x1B[2J\r\n", false);
        fields("bare CR in a value", "Host: a\r\nX: a\rb\r\n", false);
        fields("bare LF in a value", "Host: a\r\nX: a\nContent-Length: 5\r\n", false);
        fields("length and encoding", "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", false);
        fields("encoding and length", "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", false);
        fields("two lengths", "Host: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n", false);
        fields("two equal lengths", "Host: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n", false);
        fields("list of lengths", "Host: a\r\nContent-Length: 5, 5\r\n", false);
        fields("signed length", "Host: a\r\nContent-Length: +5\r\n", false);
        fields("negative length", "Host: a\r\nContent-Length: -1\r\n", false);
        fields("hexadecimal length", "Host: a\r\nContent-Length: 0x5\r\n", false);
        fields("empty length", "Host: a\r\nContent-Length:\r\n", false);
        fields("length beyond 64 bits", "Host: a\r\nContent-Length: 99999999999999999999\r\n", false);
        fields("unknown encoding", "Host: a\r\nTransfer-Encoding: xchunked\r\n", false);
        fields("identity", "Host: a\r\nTransfer-Encoding: identity\r\n", false);
        fields("chunked twice", "Host: a\r\nTransfer-Encoding: chunked, chunked\r\n", false);
        fields("chunked not last", "Host: a\r\nTransfer-Encoding: chunked, gzip\r\n", false);
        fields("two encodings", "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", false);
        fields("quoted encoding", "Host: a\r\nTransfer-Encoding: \"chunked\"\r\n", false);
        row("encoding in 1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", false);
        row("no empty line", "GET / HTTP/1.1\r\nHost: a\r\n", false);
        row("more behind it", "GET / HTTP/1.1\r\nHost: a\r\n\r\nX", false);
        row("nothing", "", false);
        row("only an empty line", "\r\n\r\n", false);
    }
    void isCleanHeaderBlock_Fields_AreReadInOneWayOnly()
    {
        QFETCH(QByteArray, block);
        QFETCH(bool, isClean);
        QCOMPARE(isCleanHeaderBlock(view(block)), isClean);
    }

    void scan_BytesOneByOne_FindsTheEndWhereItIs()
    {
        const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\nBODY";
        const std::size_t end = text.find("BODY");
        HeaderScanner scanner;
        for (std::size_t size = 1; size < end; ++size) {
            QCOMPARE(scanner.scan(std::string_view(text).substr(0, size)), HeaderScanner::State::Incomplete);
        }
        QCOMPARE(scanner.scan(text), HeaderScanner::State::Complete);
        QCOMPARE(scanner.size(), end);
    }

    void scan_WhatCannotBeInABlock_StopsAtOnce_data()
    {
        QTest::addColumn<QByteArray>("received");
        QTest::newRow("bare LF") << QByteArray("GET / HTTP/1.1\n");
        QTest::newRow("LF first") << QByteArray("\n");
        QTest::newRow("bare CR") << QByteArray("GET / HTTP/1.1\rX");
        QTest::newRow("two CRs") << QByteArray("GET / HTTP/1.1\r\r");
        QTest::newRow("NUL") << QByteArray("GET /\0", 6);
        QTest::newRow("DEL") << QByteArray("GET /\x7F");
        QTest::newRow("TLS client hello") << QByteArray("\x16\x03\x01", 3);
    }
    void scan_WhatCannotBeInABlock_StopsAtOnce()
    {
        QFETCH(QByteArray, received);
        HeaderScanner scanner;
        QCOMPARE(scanner.scan(view(received)), HeaderScanner::State::Broken);
    }

    void areSendable_ALineBreakInAField_IsRefused()
    {
        QVERIFY(areSendable({{"X-Name", "a b \xC3\xA9"}}));
        QVERIFY(!areSendable({{"X-Name", "a\r\nSet-Cookie: b"}}));
        QVERIFY(!areSendable({{"X-Name\r\n", "a"}}));
        QVERIFY(!areSendable({{"", "a"}}));
    }
};

QTEST_GUILESS_MAIN(TestNetRequestSmuggling)
#include "test_net_request_smuggling.moc"
