#include "app/platform/loopback_redirect.h"
#include "app/platform/qt_sha256.h"
#include "app/platform/system_browser.h"
#include "core/base/process_memory.h"
#include "core/sign_in/proof_key.h"

#include <QFile>
#include <QRegularExpression>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>
#include <QUrl>

#include <optional>

#ifdef Q_OS_LINUX
#include <sys/prctl.h>
#include <sys/resource.h>
#endif

using namespace vivavoce;

namespace {

constexpr int kPatienceMs = 5'000;

/// A door, and what came through it.
struct Door {
    Door()
        : url(QString::fromStdString(*redirect.open([this](std::string_view text) {
              ++answers;
              query = QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
              if (closes) {
                  redirect.close();
              }
              return verdict;
          })))
    {
    }
    platform::LoopbackRedirect redirect;
    int answers = 0;
    QString query;
    platform::LoopbackRedirect::Verdict verdict = platform::LoopbackRedirect::Verdict::Taken;
    /// From within.
    bool closes = false;
    QUrl url;
};

struct Caller {
    explicit Caller(const QUrl& url)
    {
        socket.connectToHost(QStringLiteral("127.0.0.1"), static_cast<quint16>(url.port()));
    }
    [[nodiscard]] bool isLetIn()
    {
        return QTest::qWaitFor(
                   [this] {
                       return socket.state() == QAbstractSocket::ConnectedState
                           || socket.error() != QAbstractSocket::UnknownSocketError;
                   },
                   kPatienceMs)
            && socket.state() == QAbstractSocket::ConnectedState;
    }
    /// All that comes until the other side closes.
    QByteArray ask(const QByteArray& request)
    {
        socket.write(request);
        (void)QTest::qWaitFor([this] { return socket.state() == QAbstractSocket::UnconnectedState; }, kPatienceMs);
        return socket.readAll();
    }
    QTcpSocket socket;
};

QByteArray get(const QByteArray& target)
{
    return "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: a=b\r\n\r\n";
}

} // namespace

class TestLoopbackRedirect : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void answer_IsTakenOnce_AndTheDoorIsShut()
    {
        Door door;
        QCOMPARE(door.url.host(), QStringLiteral("127.0.0.1"));
        QCOMPARE(door.url.path(), QStringLiteral("/callback"));
        Caller first(door.url);
        Caller waiting(door.url);
        QVERIFY(first.isLetIn() && waiting.isLetIn());
        const QByteArray page = first.ask(get("/callback?code=c&state=s"));
        QCOMPARE(door.query, QStringLiteral("code=c&state=s"));
        QVERIFY(page.startsWith("HTTP/1.1 200 OK\r\n"));
        QVERIFY(page.contains("You can close this window."));
        QVERIFY(page.contains("Referrer-Policy: no-referrer\r\n"));
        QVERIFY(!page.contains("script") && !page.contains("code=c"));
        // Neither who came meanwhile nor who comes now is heard.
        QCOMPARE(waiting.ask(get("/callback?code=d&state=s")), QByteArray());
        Caller second(door.url);
        QVERIFY(!second.isLetIn());
        QCOMPARE(door.answers, 1);
    }

    void answer_ThatBelongsToAnotherQuestion_LeavesTheDoorOpen()
    {
        Door door;
        door.verdict = platform::LoopbackRedirect::Verdict::NotOurs;
        Caller stranger(door.url);
        Caller waiting(door.url);
        QVERIFY(stranger.isLetIn() && waiting.isLetIn());
        const QByteArray page = stranger.ask(get("/callback?code=c&state=wrong"));
        QVERIFY(page.startsWith("HTTP/1.1 400 "));
        QVERIFY(!page.contains("You can close this window."));
        door.verdict = platform::LoopbackRedirect::Verdict::Taken;
        QVERIFY(waiting.ask(get("/callback?code=c&state=s")).contains("You can close this window."));
        QCOMPARE(door.answers, 2);
    }

    void answer_ThatSignsNobodyIn_IsToldSo()
    {
        Door door;
        door.verdict = platform::LoopbackRedirect::Verdict::Refused;
        // As whoever waits for it does.
        door.closes = true;
        Caller browser(door.url);
        QVERIFY(browser.isLetIn());
        const QByteArray page = browser.ask(get("/callback?error=access_denied&state=s"));
        QVERIFY(page.contains("You were not signed in."));
        QVERIFY(!page.contains("You can close this window."));
        Caller second(door.url);
        QVERIFY(!second.isLetIn());
    }

    void somethingElse_IsNoAnswer_data()
    {
        QTest::addColumn<QByteArray>("request");
        QTest::addColumn<QByteArray>("status");
        QTest::newRow("an icon") << get("/favicon.ico") << QByteArray("404");
        QTest::newRow("without a query") << get("/callback") << QByteArray("404");
        QTest::newRow("a longer path") << get("/callback/?code=c") << QByteArray("404");
        QTest::newRow("a post") << QByteArray("POST /callback?code=c HTTP/1.1\r\n\r\n") << QByteArray("400");
        QTest::newRow("another version") << QByteArray("GET /callback?code=c HTTP/2\r\n\r\n") << QByteArray("400");
        QTest::newRow("too many words") << QByteArray("GET /callback?code=c x HTTP/1.1\r\n\r\n") << QByteArray("400");
        QTest::newRow("nonsense") << QByteArray("\0\1\2\r\n\r\n", 7) << QByteArray("400");
        QTest::newRow("without an end") << QByteArray(70'000, 'a') << QByteArray("400");
    }
    void somethingElse_IsNoAnswer()
    {
        QFETCH(QByteArray, request);
        QFETCH(QByteArray, status);
        Door door;
        Caller stranger(door.url);
        QVERIFY(stranger.isLetIn());
        const QByteArray page = stranger.ask(request);
        QVERIFY2(page.startsWith("HTTP/1.1 " + status), page.constData());
        QCOMPARE(door.answers, 0);
        // And the browser still finds it open.
        Caller browser(door.url);
        QVERIFY(browser.isLetIn());
        (void)browser.ask(get("/callback?code=c"));
        QCOMPARE(door.answers, 1);
    }

    void request_InPieces_IsOne()
    {
        Door door;
        Caller slow(door.url);
        QVERIFY(slow.isLetIn());
        for (const char c : get("/callback?code=c").chopped(1)) {
            slow.socket.write(&c, 1);
            slow.socket.flush();
            QCoreApplication::processEvents();
        }
        QCOMPARE(door.answers, 0);
        (void)slow.ask("\n");
        QCOMPARE(door.query, QStringLiteral("code=c"));
    }

    void close_ShutsTheDoor()
    {
        Door door;
        Caller inside(door.url);
        QVERIFY(inside.isLetIn());
        door.redirect.close();
        QCOMPARE(inside.ask(get("/callback?code=c")), QByteArray());
        Caller outside(door.url);
        QVERIFY(!outside.isLetIn());
        QCOMPARE(door.answers, 0);
    }

    void crowd_IsNotLetInForEver()
    {
        Door door;
        std::vector<std::unique_ptr<Caller>> crowd;
        for (int i = 0; i < 20; ++i) {
            crowd.push_back(std::make_unique<Caller>(door.url));
        }
        QVERIFY(QTest::qWaitFor(
            [&] {
                return std::count_if(crowd.begin(), crowd.end(), [](const auto& caller) {
                    return caller->socket.state() == QAbstractSocket::UnconnectedState;
                }) >= 12;
            },
            kPatienceMs));
    }

    /// RFC 7636, Appendix B.
    void sha256_IsThatOfTheStandard()
    {
        QCOMPARE(core::proofChallenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", &platform::sha256),
            std::string("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    }

    void browser_IsTheOneThatTheEnvironmentNames_data()
    {
        QTest::addColumn<QString>("named");
        QTest::addColumn<QByteArray>("arguments");
        const QByteArray url("[https://login.example/auth?a=b&c=%25s d]");
        QTest::newRow("a program") << QStringLiteral("BROWSER") << url;
        QTest::newRow("a command") << QStringLiteral("BROWSER --new \"a b\"") << "[--new][a b]" + url;
        QTest::newRow("a place for it") << QStringLiteral("BROWSER %s --new") << url + "[--new]";
        QTest::newRow("within a word") << QStringLiteral("BROWSER --url=%s") << "[--url=" + url.mid(1);
        QTest::newRow("the second") << QStringLiteral("/there/is/none:BROWSER -b:/never") << "[-b]" + url;
        QTest::newRow("gaps") << QStringLiteral(": :BROWSER:") << url;
    }
    void browser_IsTheOneThatTheEnvironmentNames()
    {
#ifndef Q_OS_UNIX
        QSKIP("BROWSER is a custom of Unix");
#else
        const QTemporaryDir folder;
        const QString program = folder.filePath(QStringLiteral("browser"));
        const QString seen = folder.filePath(QStringLiteral("seen"));
        QFile file(program);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("#!/bin/sh\nprintf '[%s]' \"$@\" > '" + seen.toUtf8() + ".new'\nmv '" + seen.toUtf8() + ".new' '"
            + seen.toUtf8() + "'\n");
        file.close();
        QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
        QFETCH(QString, named);
        QFETCH(QByteArray, arguments);
        qputenv("BROWSER", named.replace(QStringLiteral("BROWSER"), program).toUtf8());
        platform::SystemBrowser browser;
        QVERIFY(browser.open("https://login.example/auth?a=b&c=%25s d"));
        QVERIFY(QTest::qWaitFor([&] { return QFile::exists(seen); }, kPatienceMs));
        QFile written(seen);
        QVERIFY(written.open(QIODevice::ReadOnly));
        QCOMPARE(written.readAll(), arguments);
#endif
    }

    void browser_HasTheCoreLimitThatWeWereStartedWith()
    {
#ifndef Q_OS_LINUX
        QSKIP("another system tells it in another way");
#else
        rlimit before{};
        ::getrlimit(RLIMIT_CORE, &before);
        if (before.rlim_max == 0) {
            QSKIP("nobody may have a core dump here");
        }
        const rlimit all{before.rlim_max, before.rlim_max};
        ::setrlimit(RLIMIT_CORE, &all);
        core::hideProcessMemory(core::CoreLimit::Liftable);
        const QTemporaryDir folder;
        const QString seen = folder.filePath(QStringLiteral("seen"));
        qputenv("BROWSER",
            "/bin/sh -c \"cat /proc/self/limits > '" + seen.toUtf8() + ".new'; mv '" + seen.toUtf8() + ".new' '"
                + seen.toUtf8() + "'\"");
        platform::SystemBrowser browser;
        QVERIFY(browser.open("https://login.example/"));
        QVERIFY(QTest::qWaitFor([&] { return QFile::exists(seen); }, kPatienceMs));
        QFile limits(seen);
        QVERIFY(limits.open(QIODevice::ReadOnly));
        const QString text = QString::fromLatin1(limits.readAll());
        QVERIFY2(text.contains(QRegularExpression(QStringLiteral("core file size +(?!0 )"))), qPrintable(text));
        // We have none ourselves again, and are as hidden as before.
        rlimit ours{};
        ::getrlimit(RLIMIT_CORE, &ours);
        QCOMPARE(ours.rlim_cur, rlim_t{0});
        QCOMPARE(::prctl(PR_GET_DUMPABLE), 0);
        ::prctl(PR_SET_DUMPABLE, 1);
#endif
    }

    void browser_ThatIsNotThere_IsTheDesktops()
    {
#if !defined(Q_OS_UNIX) || defined(Q_OS_MACOS)
        QSKIP("BROWSER is a custom of Unix");
#else
        const QTemporaryDir folder;
        const QString seen = folder.filePath(QStringLiteral("seen"));
        QFile opener(folder.filePath(QStringLiteral("xdg-open")));
        QVERIFY(opener.open(QIODevice::WriteOnly));
        opener.write("#!/bin/sh\n: > '" + seen.toUtf8() + "'\n");
        opener.close();
        QVERIFY(opener.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
        const QByteArray path = qgetenv("PATH");
        qputenv("PATH", folder.path().toUtf8() + ":" + path);
        qputenv("BROWSER", "/there/is/no/such/browser:/nor/this");
        // A desktop that is there without a screen.
        qputenv("QT_QPA_PLATFORM", "offscreen");
        platform::SystemBrowser browser;
        QVERIFY(browser.open("https://login.example/"));
        QVERIFY(QTest::qWaitFor([&] { return QFile::exists(seen); }, kPatienceMs));
        // Nor where the desktop has none; what it says of the address is for nobody.
        QVERIFY(opener.open(QIODevice::WriteOnly | QIODevice::Truncate));
        opener.write("#!/bin/sh\nexit 3\n");
        opener.close();
        QVERIFY(!browser.open("https://login.example/"));
        // Without a desktop there is none.
        qunsetenv("DISPLAY");
        qunsetenv("QT_QPA_PLATFORM");
        qunsetenv("WAYLAND_DISPLAY");
        QVERIFY(!browser.open("https://login.example/"));
        qunsetenv("BROWSER");
        QVERIFY(!browser.open("https://login.example/"));
        qputenv("PATH", path);
#endif
    }
};

QTEST_GUILESS_MAIN(TestLoopbackRedirect)
#include "test_loopback_redirect.moc"
