#include "app/broker_trial.h"
#include "app/platform/qt_http_client.h"
#include "app/program.h"
#include "app/window.h"
#include "core/base/clock.h"
#include "tests/ui/ui_fakes.h"
#include "ui/style/error_text.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QGuiApplication>
#include <QProcess>
#include <QQuickItem>
#include <QQuickWindow>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include <cstdio>
#include <cstring>
#include <memory>

using namespace vivavoce;
using namespace vivavoce::tests;
namespace notice = core::session_notice;

namespace {

constexpr int kPatience = 20'000;
/// Without sound and on a busy machine; it was 3.5 s.
constexpr qint64 kQuickEndMs = 1'500;
constexpr const char* kAsApp = "--as-app";

QQuickItem* itemOf(QWindow* window, const char* name)
{
    return window->findChild<QQuickItem*>(QString::fromLatin1(name));
}

/// The program, with somebody who presses what starts a conversation and says when there is one. Its end waits for a line, as if it took long.
int runAsApp(int argc, char** argv)
{
    static bool isPressed = false;
    QTimer look;
    QObject::connect(&look, &QTimer::timeout, &look, [&look] {
        const QWindowList windows = QGuiApplication::topLevelWindows();
        QWindow* window = windows.isEmpty() ? nullptr : windows.first();
        QQuickItem* start = window == nullptr ? nullptr : itemOf(window, "tryHere");
        if (start != nullptr && !std::exchange(isPressed, true)) {
            QMetaObject::invokeMethod(start, "clicked");
        }
        const QObject* conversation = window == nullptr ? nullptr : window->property("conversation").value<QObject*>();
        if (conversation != nullptr && conversation->property("isLive").toBool()) {
            QObject::connect(window, &QObject::destroyed, [] { std::getchar(); });
            std::puts("live");
            std::fflush(stdout);
            look.stop();
        }
    });
    static QTimer* const looking = &look;
    // A timer needs the application, which the program makes itself.
    qAddPreRoutine([] {
        QMetaObject::invokeMethod(
            looking, [] { looking->start(50); }, Qt::QueuedConnection);
    });
    return app::runInWindow(argc, argv, nullptr);
}

/// A user's home.
class Home {
public:
    [[nodiscard]] std::unique_ptr<QProcess> start(const QString& program, const QStringList& arguments) const
    {
        auto process = std::make_unique<QProcess>();
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        for (const char* name : {"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}) {
            environment.insert(QString::fromLatin1(name), m_folder.path());
        }
        process->setProcessEnvironment(environment);
        process->start(program, arguments);
        process->waitForStarted(kPatience);
        return process;
    }
    [[nodiscard]] bool hasListener() const
    {
        return QFileInfo::exists(m_folder.filePath(QStringLiteral("vivavoce/window")));
    }

private:
    QTemporaryDir m_folder;
};

struct World {
    core::SystemClock clock;
    FakeConversation conversation;
    FakeVoiceControls voice;
    FakeDeviceCatalog devices;
    FakeSettingsStore store;
    FakeAccount account;
    FakeConversationStore history;
    FakeTextFiles files;
    core::LiveSettings settings{store};
    app::Window window{{conversation, voice, devices, settings, clock, account, history, files}};

    [[nodiscard]] QString words() const
    {
        return itemOf(window.quickWindow(), "stateText")->property("text").toString();
    }
    [[nodiscard]] int depth() const { return itemOf(window.quickWindow(), "pages")->property("depth").toInt(); }
};

} // namespace

/// The window put together, on fakes; and how the program behind it ends.
class WindowTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void talking_BeforeSigningIn_LeadsToTheAccountAndRefusesNobody()
    {
        World world;
        core::Settings settings;
        settings.profile = core::Profile::Broker;
        settings.brokerUrl = "http://127.0.0.1:9";
        QVERIFY(world.settings.change(settings).has_value());
        QVERIFY(world.window.open());
        world.conversation.tell(
            notice::Ended{core::Error{core::ErrorCode::NotAuthorised, "nobody is signed in", std::nullopt, {}}});
        QTRY_COMPARE(world.depth(), 2);
        QTRY_COMPARE(world.words(), QStringLiteral("Press space or the button to talk"));
        // Who is signed in and refused all the same is told so.
        world.account.become(FakeAccount::Stage::SignedIn);
        world.conversation.tell(
            notice::Ended{core::Error{core::ErrorCode::NotAuthorised, "HTTP 403", std::nullopt, {}}});
        QCoreApplication::processEvents();
        QVERIFY(world.words().startsWith(QStringLiteral("The broker does not know you.")));
    }

    void trial_TellsWhetherABrokerIsThere_data()
    {
        QTest::addColumn<QByteArray>("answer");
        QTest::addColumn<QString>("code");
        const QByteArray problem(R"({"title":"t","status":404,"detail":"d","code":"not_found"})");
        QTest::newRow("it has no place to sign in") << "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: "
                + QByteArray::number(problem.size()) + "\r\n\r\n"
                + problem << QString();
        QTest::newRow("another server, which has nothing there")
            << QByteArray("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            << QStringLiteral("broker.malformed");
        QTest::newRow("something else answers")
            << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            << QStringLiteral("broker.malformed");
        QTest::newRow("it has trouble") << QByteArray(
            "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                                        << QStringLiteral("broker.failed");
        QTest::newRow("nothing answers") << QByteArray() << QStringLiteral("broker.unreachable");
    }
    void trial_TellsWhetherABrokerIsThere()
    {
        QFETCH(QByteArray, answer);
        QFETCH(QString, code);
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        const std::string url = "http://127.0.0.1:" + std::to_string(server.serverPort());
        QByteArray asked;
        QObject::connect(&server, &QTcpServer::newConnection, &server, [&] {
            QTcpSocket* const socket = server.nextPendingConnection();
            QObject::connect(socket, &QTcpSocket::readyRead, &server, [&asked, socket, answer] {
                asked += socket->readAll();
                socket->write(answer);
                socket->disconnectFromHost();
            });
        });
        if (answer.isEmpty()) {
            server.close();
        }
        platform::QtHttpClient http;
        app::BrokerTrial trial(http);
        bool isDone = false;
        std::optional<core::Error> error;
        trial.ask(url, [&](std::optional<core::Error> told) {
            isDone = true;
            error = std::move(told);
        });
        QTRY_VERIFY(isDone);
        QCOMPARE(error ? ui::errorCodeText(*error) : QString(), code);
        QVERIFY(answer.isEmpty() || asked.startsWith("GET /.well-known/oauth-protected-resource "));
    }

    void closing_DuringAConversation_IsQuickAndInNobodysWay()
    {
        const Home home;
        const auto first = home.start(QCoreApplication::applicationFilePath(), {QString::fromLatin1(kAsApp)});
        QByteArray said;
        QTRY_VERIFY_WITH_TIMEOUT((said += first->readAllStandardOutput()).contains("live"), kPatience);
        first->terminate();
        // Whoever starts it while it ends is the first.
        QTRY_VERIFY_WITH_TIMEOUT(!home.hasListener(), kPatience);
        const auto second =
            home.start(QDir(QCoreApplication::applicationDirPath()).filePath(QStringLiteral("vivavoce")), {});
        QTRY_VERIFY_WITH_TIMEOUT(home.hasListener() || second->state() == QProcess::NotRunning, kPatience);
        QVERIFY2(second->state() == QProcess::Running, second->readAllStandardError().constData());
        QCOMPARE(first->state(), QProcess::Running);
        QElapsedTimer ending;
        ending.start();
        first->write("\n");
        QVERIFY(first->waitForFinished(kPatience));
        QVERIFY2(ending.elapsed() < kQuickEndMs, qPrintable(QString::number(ending.elapsed())));
        QCOMPARE(first->exitCode(), 0);
        QVERIFY(home.hasListener());
        second->terminate();
        QVERIFY(second->waitForFinished(kPatience));
        QCOMPARE(second->exitCode(), 0);
    }
};

int main(int argc, char** argv)
{
    if (argc == 2 && std::strcmp(argv[1], kAsApp) == 0) {
        return runAsApp(1, argv);
    }
    const QGuiApplication application(argc, argv);
    WindowTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "test_window.moc"
