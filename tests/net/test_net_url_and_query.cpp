#include "net/http_message.h"
#include "net/internal/url.h"

#include <QTest>

using namespace vivavoce;

class UrlAndQueryTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void url_IsTakenApart()
    {
        const auto url = net::parseUrl("https://api.example:8443/v1/x?model=a%20b", "http", "https");
        QVERIFY(url.has_value());
        QVERIFY(url->isTls);
        QCOMPARE(url->host, std::string("api.example"));
        QCOMPARE(int(url->port), 8443);
        QCOMPARE(url->authority, std::string("api.example:8443"));
        QCOMPARE(url->target, std::string("/v1/x?model=a%20b"));
    }

    void url_OfAnIpv6Literal_LosesItsBracketsOnlyForDialling()
    {
        const auto url = net::parseUrl("ws://[::1]:9000", "ws", "wss");
        QVERIFY(url.has_value());
        QCOMPARE(url->host, std::string("::1"));
        QCOMPARE(url->authority, std::string("[::1]:9000"));
        QCOMPARE(url->target, std::string("/"));
    }

    void url_ThatWillNotDo_IsRefused_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<int>("code");
        const int bad = int(core::ErrorCode::BadConfiguration);
        const int insecure = int(core::ErrorCode::InsecureUrl);
        QTest::newRow("plain to elsewhere") << QStringLiteral("http://api.example/") << insecure;
        QTest::newRow("a name that begins like loopback") << QStringLiteral("http://127.0.0.1.example/") << bad;
        QTest::newRow("any address") << QStringLiteral("http://0.0.0.0/") << insecure;
        QTest::newRow("another scheme") << QStringLiteral("ftp://127.0.0.1/") << bad;
        QTest::newRow("user information") << QStringLiteral("https://user:password@api.example/") << bad;
        QTest::newRow("no host") << QStringLiteral("https:///x") << bad;
        QTest::newRow("no scheme") << QStringLiteral("api.example/x") << bad;
        QTest::newRow("nothing") << QString() << bad;
        QTest::newRow("a line break") << QStringLiteral("https://api.example/\r\nX: y") << bad;
        QTest::newRow("a path of a space") << QStringLiteral("https: ") << bad;
        QTest::newRow("no authority") << QStringLiteral("https:/api.example/") << bad;
        QTest::newRow("a byte above ASCII") << QStringLiteral("https://api.example/\u00e9") << bad;
        QTest::newRow("port zero") << QStringLiteral("https://api.example:0/") << bad;
        QTest::newRow("port too large") << QStringLiteral("https://api.example:70000/") << bad;
    }
    void url_ThatWillNotDo_IsRefused()
    {
        QFETCH(QString, text);
        QFETCH(int, code);
        const auto url = net::parseUrl(text.toStdString(), "http", "https");
        QVERIFY(!url.has_value());
        QCOMPARE(int(url.error().code), code);
        QVERIFY(url.error().detail.find("password") == std::string::npos);
    }

    void queryParameter_IsDecodedOnce()
    {
        QCOMPARE(net::queryParameter("a=1&model=gpt%2Dx%2520&b", "model"), std::string("gpt-x%20"));
        QCOMPARE(net::queryParameter("a=1", "b"), std::string());
        QCOMPARE(net::queryParameter("b", "b"), std::string());
        QCOMPARE(net::queryParameter("%zz=1", "a"), std::string());
    }

    void queryParameter_TakesAPlusForASpace()
    {
        QCOMPARE(net::queryParameter("text=time+is+it", "text"), std::string("time is it"));
        QCOMPARE(net::queryParameter("my+name=+&b=1", "my name"), std::string(" "));
        QCOMPARE(net::queryParameter("at=08:00%2B01:00&u=a%20b", "at"), std::string("08:00+01:00"));
        QCOMPARE(net::queryParameter("text=%2520%2B+", "text"), std::string("%20+ "));
    }
};

QTEST_GUILESS_MAIN(UrlAndQueryTest)
#include "test_net_url_and_query.moc"
