#include "core/base/http_headers.h"
#include "tests/broker/broker_harness.h"
#include "tests/net/raw_socket.h"

#include <nlohmann/json.hpp>

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;
using net::test::Answer;
using net::test::RawSocket;

namespace {

/// A literal, NULs and all.
template <std::size_t Size>
std::string whole(const char (&literal)[Size])
{
    return {literal, Size - 1};
}

std::uint16_t portOf(const BrokerWorld& world)
{
    const std::string url = world.url();
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

QByteArray bytes(const std::string& text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

/// A request with good credentials: if its framing were believed, something would be minted.
std::string mint(const std::string& fields, const std::string& body)
{
    return "POST /api/voice-agent/token HTTP/1.1\r\nHost: broker.example\r\nContent-Type: application/json\r\n"
           "Authorization: Bearer "
        + std::string(BrokerWorld::kCredential) + "\r\n" + fields + "\r\n" + body;
}

std::string get(const std::string& target, const std::string& fields = "Host: broker.example\r\n",
    const std::string& version = "HTTP/1.1")
{
    return "GET " + target + " " + version + "\r\n" + fields + "\r\n";
}

std::string chunked(const std::string& body)
{
    return mint("Transfer-Encoding: chunked\r\n", body);
}

} // namespace

/// Framing in the manner of h1spec, after RFC 9112, against the broker itself: what it cannot read in one way only is answered with a
/// problem of ours, nothing behind it is served, and nothing is minted.
class TestBrokerFraming : public QObject {
    Q_OBJECT

private slots:
    void request_ThatBreaksTheFraming_IsTheLastOfItsConnection_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::addColumn<unsigned>("status");
        QTest::addColumn<QByteArray>("code");
        const auto row = [](const char* name, const std::string& request, unsigned status = 400) {
            const char* code = status == 400 ? "bad_request"
                : status == 413              ? "body_too_large"
                : status == 414              ? "uri_too_long"
                : status == 431              ? "headers_too_large"
                : status == 417              ? "expectation_failed"
                                             : "";
            QTest::newRow(name) << bytes(request) << status << QByteArray(code);
        };
        // §2.2, §3: the request line.
        row("0.9", "GET /healthz\r\n\r\n");
        row("0.9 with fields", "GET /healthz\r\nHost: a\r\n\r\n");
        row("2.0", get("/healthz", "Host: a\r\n", "HTTP/2.0"));
        row("version of three digits", get("/healthz", "Host: a\r\n", "HTTP/1.1.1"));
        row("version of another protocol", get("/healthz", "Host: a\r\n", "RTSP/1.0"));
        row("bare LF throughout", "GET /healthz HTTP/1.1\nHost: a\n\n");
        row("bare LF after the request line", "GET /healthz HTTP/1.1\nHost: a\r\n\r\n");
        row("bare LF at the end", "GET /healthz HTTP/1.1\r\nHost: a\r\n\n");
        row("CR alone", "GET /healthz HTTP/1.1\rHost: a\r\n\r\n");
        row("white space before the method", " " + get("/healthz"));
        row("two empty lines first", "\r\n\r\n" + get("/healthz"));
        row("method of separators", "G@T /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        row("method with a colon", "GET: /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        row("control character in the target", std::string("GET /health\x01z HTTP/1.1\r\nHost: a\r\n\r\n"));
        row("NUL in the target", whole("GET /healthz\0 HTTP/1.1\r\nHost: a\r\n\r\n"));
        row("huge target", get("/" + std::string(9'000, 'a')), 414);
        row("endless target", "GET /" + std::string(40'000, 'a'), 414);
        // §3.2: the target and the Host.
        row("no Host", get("/healthz", ""));
        row("no Host in 1.0", get("/healthz", "", "HTTP/1.0"));
        row("two Hosts", get("/healthz", "Host: a\r\nHost: b\r\n"));
        row("two equal Hosts", get("/healthz", "Host: a\r\nHost: a\r\n"));
        row("Host with a path", get("/healthz", "Host: a/b\r\n"));
        row("absolute form without a host", get("http:///healthz"));
        row("absolute form without a host, with a port", get("http://:80/healthz"));
        row("absolute form with a user", get("http://user@broker.example/healthz"));
        row("absolute form with a comma", get("http://a,b/healthz"));
        row("absolute form without Host", get("http://broker.example/healthz", ""));
        // §5: the fields.
        row("obs-fold", get("/healthz", "Host: a\r\nX: 1\r\n 2\r\n"));
        row("obs-fold before all fields", get("/healthz", " \r\nHost: a\r\n"));
        row("space before the colon", get("/healthz", "Host: a\r\nX : 1\r\n"));
        row("tab before the colon", get("/healthz", "Host: a\r\nX\t: 1\r\n"));
        row("NUL in a value", get("/healthz", whole("Host: a\r\nX: 1\0002\r\n")));
        row("NUL in a name", get("/healthz", whole("Host: a\r\nX\0: 1\r\n")));
        row("backspace in a value", get("/healthz", "Host: a\r\nX: 1\b2\r\n"));
        row("field without a colon", get("/healthz", "Host: a\r\nX\r\n"));
        row("quoted name", get("/healthz", "Host: a\r\n\"X\": 1\r\n"));
        row("name above ASCII", get("/healthz", "Host: a\r\nX\xC3\xA9: 1\r\n"));
        row("huge field", get("/healthz", "Host: a\r\nX: " + std::string(20'000, 'a') + "\r\n"), 431);
        row("huge name", get("/healthz", "Host: a\r\n" + std::string(20'000, 'a') + ": 1\r\n"), 431);
        row("endless fields", "GET /healthz HTTP/1.1\r\nHost: a\r\n" + std::string(40'000, 'a'), 431);
        // §6: where the body ends.
        row("length and chunked", mint("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "{}"));
        row("chunked and length", mint("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "2\r\n{}\r\n0\r\n\r\n"));
        row("two lengths", mint("Content-Length: 2\r\nContent-Length: 3\r\n", "{} "));
        row("two equal lengths", mint("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"));
        row("length with a sign", mint("Content-Length: +2\r\n", "{}"));
        row("length with a space", mint("Content-Length: 2 2\r\n", "{}"));
        row("length in hexadecimal", mint("Content-Length: 0x2\r\n", "{}"));
        row("length with a fraction", mint("Content-Length: 2.0\r\n", "{}"));
        row("length of 20 digits", mint("Content-Length: 18446744073709551618\r\n", "{}"));
        row("length of zeros and 2", mint("Content-Length: 00000000000000000002\r\n", "{}"));
        row("huge length", mint("Content-Length: 999999999999999999\r\n", "{}"), 413);
        row("length over the limit", mint("Content-Length: 65537\r\n", ""), 413);
        row("gzip", mint("Transfer-Encoding: gzip\r\n", "{}"));
        row("gzip, chunked", mint("Transfer-Encoding: gzip, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"));
        row("chunked, chunked", mint("Transfer-Encoding: chunked, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"));
        row("chunked twice", mint("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
        row("chunked with a parameter", mint("Transfer-Encoding: chunked;a=b\r\n", "2\r\n{}\r\n0\r\n\r\n"));
        row("unknown expectation", mint("Expect: wonders\r\nContent-Length: 2\r\n", "{}"), 417);
        // §7.1: the chunks.
        row("chunk size of 17 digits", chunked("10000000000000002\r\n{}\r\n0\r\n\r\n"));
        row("chunk size of 16 digits", chunked("ffffffffffffffff\r\n{}\r\n0\r\n\r\n"), 413);
        row("chunk size that wraps with the last", chunked("2\r\n{}\r\nfffffffffffffffe\r\n"), 413);
        row("chunk size in 0x", chunked("0x2\r\n{}\r\n0\r\n\r\n"));
        row("chunk size with a sign", chunked("+2\r\n{}\r\n0\r\n\r\n"));
        row("chunk size with a space before", chunked(" 2\r\n{}\r\n0\r\n\r\n"));
        row("chunk size with an underscore", chunked("0_2\r\n{}\r\n0\r\n\r\n"));
        row("no chunk size", chunked("\r\n{}\r\n0\r\n\r\n"));
        row("chunk ends with a bare LF", chunked("2\r\n{}\n0\r\n\r\n"));
        row("chunk size ends with a bare LF", chunked("2\n{}\r\n0\r\n\r\n"));
        row("chunk longer than its size", chunked("1\r\n{}\r\n0\r\n\r\n"));
        row("chunk extension without a name", chunked("2;\r\n{}\r\n0\r\n\r\n"));
        row("chunk extension with a bare LF", chunked("2;a\nb\r\n{}\r\n0\r\n\r\n"));
        row("chunk extension with a bare CR", chunked("2;a\rb\r\n{}\r\n0\r\n\r\n"));
        row("chunk extension with NUL", chunked(whole("2;a=\0\r\n{}\r\n0\r\n\r\n")));
        row("chunk extension quoted over lines", chunked("2;a=\"b\r\n{}\r\n0\r\n\r\n\"\r\n{}\r\n0\r\n\r\n"));
        row("endless chunk extension", chunked("2;a=" + std::string(200'000, 'b')));
        row("chunks over the limit", chunked("fffe\r\n" + std::string(0xfffe, ' ') + "\r\n3\r\n{} \r\n0\r\n\r\n"), 413);
        row("trailer without a colon", chunked("2\r\n{}\r\n0\r\nX\r\n\r\n"));
        row("trailer with NUL", chunked(whole("2\r\n{}\r\n0\r\nX: \0\r\n\r\n")));
        row("trailer with a bare LF", chunked("2\r\n{}\r\n0\r\nX: 1\nY: 2\r\n\r\n"));
        row("endless trailers", chunked("2\r\n{}\r\n0\r\n" + QByteArray("X: y\r\n").repeated(40'000).toStdString()));
    }
    void request_ThatBreaksTheFraming_IsTheLastOfItsConnection()
    {
        QFETCH(QByteArray, request);
        QFETCH(unsigned, status);
        QFETCH(QByteArray, code);
        BrokerWorld world;
        RawSocket socket(portOf(world));
        socket.send(request.toStdString() + get("/healthz"));
        const Answer answer = socket.readAnswer();
        QCOMPARE(answer.status, status);
        const auto problem = core::Json::parse(answer.body, nullptr, false);
        QVERIFY2(problem.is_object(), answer.body.c_str());
        QCOMPARE(problem.value("code", std::string()), code.toStdString());
        QCOMPARE(std::string(answer.headers.find("X-Content-Type-Options").value_or("")), std::string("nosniff"));
        QCOMPARE(std::string(answer.headers.find("Connection").value_or("")), std::string("close"));
        // Nothing behind it was taken for a request.
        QCOMPARE(socket.readToEnd(), std::string());
        QVERIFY(world.provider.requests().empty());
    }

    void request_ThatIsUnusualButRight_IsServed_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::addColumn<unsigned>("status");
        const auto row = [](const char* name, const std::string& request, unsigned status = 200) {
            QTest::newRow(name) << bytes(request) << status;
        };
        row("1.0", get("/healthz", "Host: a\r\nConnection: keep-alive\r\n", "HTTP/1.0"));
        row("an empty line first", "\r\n" + get("/healthz"));
        row("absolute form", get("http://broker.example/healthz"));
        row("absolute form with another host", get("http://other.example:8080/healthz"));
        row("absolute form in capitals", get("HTTP://broker.example/healthz"));
        row("absolute form of an IPv6 address", get("http://[::1]:80/healthz"));
        row("absolute form without a path", get("http://broker.example"), 404);
        row("unknown method", "BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 405);
        row("lower-case method", "get /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 405);
        row("TRACE", "TRACE /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 405);
        row("asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404);
        row("chunks", chunked("1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"));
        row("chunk size with zeros", chunked("00000002\r\n{}\r\n000\r\n\r\n"));
        row("chunk extensions", chunked("2;a=b;c=\"d e\"\r\n{}\r\n0;f\r\n\r\n"));
        row("trailers", chunked("2\r\n{}\r\n0\r\nX: 1\r\n\r\n"));
        // Trailers are dropped, so that their lines may be joined (§5.2).
        row("trailers with obs-fold", chunked("2\r\n{}\r\n0\r\nX: 1\r\n 2\r\n\r\n"));
        row("length with zeros", mint("Content-Length: 0002\r\n", "{}"));
        row("a GET with a body", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
        row("many small fields", get("/healthz", "Host: a\r\n" + QByteArray("X: y\r\n").repeated(60).toStdString()));
    }
    void request_ThatIsUnusualButRight_IsServed()
    {
        QFETCH(QByteArray, request);
        QFETCH(unsigned, status);
        BrokerWorld world;
        RawSocket socket(portOf(world));
        socket.send(request.toStdString());
        QCOMPARE(socket.readAnswer().status, status);
        // It was read to its end and no further: the connection serves the next one.
        socket.send(get("/healthz"));
        QCOMPARE(socket.readAnswer().status, 200U);
    }
};

QTEST_GUILESS_MAIN(TestBrokerFraming)
#include "test_broker_framing.moc"
