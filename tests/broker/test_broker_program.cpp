#include "tests/broker/test_secrets.h"

#include <QElapsedTimer>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

namespace {

constexpr int kPatienceMs = 20'000;
const QByteArray kCredential = "credential-marker";
const QByteArray kProviderKey = "provider-key-marker";

/// The real vivavoce-broker.
class Program {
public:
    explicit Program(const QStringList& arguments, const QStringList& environment = {})
    {
        QProcessEnvironment variables = QProcessEnvironment::systemEnvironment();
        for (const char* name : {"OPENAI_API_KEY", "VOICE_AGENT_RATE_LIMIT", "VOICE_AGENT_TOKEN_DURATION"}) {
            variables.remove(QString::fromLatin1(name));
        }
        for (const QString& item : environment) {
            variables.insert(item.section(u'=', 0, 0), item.section(u'=', 1));
        }
        process.setProcessEnvironment(variables);
        process.start(qEnvironmentVariable("VV_BIN_DIR") + QStringLiteral("/vivavoce-broker"), arguments);
    }
    ~Program()
    {
        process.kill();
        process.waitForFinished(kPatienceMs);
    }

    /// The exit code; -1 where it did not end by itself.
    int end()
    {
        const bool hasEnded = process.state() == QProcess::NotRunning || process.waitForFinished(kPatienceMs);
        return hasEnded && process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    }

    /// The first line of stdout.
    QByteArray line()
    {
        while (!process.canReadLine() && process.waitForReadyRead(kPatienceMs)) {
        }
        return process.readLine();
    }

    QProcess process;
};

QStringList embedded(const QString& provider = QStringLiteral("http://127.0.0.1:1"))
{
    return {QStringLiteral("--embedded"), QStringLiteral("--listen"), QStringLiteral("127.0.0.1:0"),
        QStringLiteral("--provider-url"), provider, QStringLiteral("--log-level"), QStringLiteral("debug")};
}

/// A running broker that has told where it is.
struct RunningProgram : Program {
    explicit RunningProgram(const QStringList& arguments = embedded()) : Program(arguments)
    {
        process.write(kCredential + "\n" + kProviderKey + "\n");
        const auto ready = QJsonDocument::fromJson(line()).object();
        isReady = ready.value(u"event").toString() == u"listening";
        port = static_cast<quint16>(ready.value(u"url").toString().section(u':', -1).toUInt());
    }

    /// The whole answer to a request of ours; the connection closes after it.
    QByteArray ask(const QByteArray& head, const QByteArray& body = {})
    {
        QTcpSocket socket;
        socket.connectToHost(QStringLiteral("127.0.0.1"), port);
        if (!socket.waitForConnected(kPatienceMs)) {
            return {};
        }
        socket.write(head + "\r\nHost: x\r\nConnection: close\r\nContent-Length: " + QByteArray::number(body.size())
            + "\r\n\r\n" + body);
        while (socket.waitForReadyRead(kPatienceMs)) {
        }
        return socket.readAll();
    }

    bool isReady = false;
    quint16 port = 0;
};

} // namespace

class TestBrokerProgram : public QObject {
    Q_OBJECT

private slots:
    void badStart_IsALineForEachFaultAndExitCodeTwo_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QStringList>("environment");
        QTest::addColumn<QByteArray>("said");
        QTest::addColumn<int>("faults");
        const auto row = [](const char* name, const QStringList& arguments, const QStringList& environment,
                             const char* said, int faults = 1) {
            QTest::newRow(name) << arguments << environment << QByteArray(said) << faults;
        };
        const QString listen = QStringLiteral("--listen");
        row("nobody can sign in", {}, {}, "nobody could sign in", 3);
        const QStringList users{
            QStringLiteral("OIDC_ISSUER=https://login.example"), QStringLiteral("OIDC_AUDIENCE=voice")};
        const QString secret = QStringLiteral("JWT_SECRET=") + QString::fromLatin1(vivavoce::tests::kTestSecret);
        row("no audit", {}, users + QStringList{secret}, "audit.folder");
        row("no secret", {}, users + QStringList{QStringLiteral("DATABASE_URL=sqlite://:memory:")}, "secret is needed",
            2);
        row("no database of ours", {}, users + QStringList{secret, QStringLiteral("DATABASE_URL=mysql://u:marker@h/x")},
            "database.url", 2);
        row("audience of nobody", {}, {QStringLiteral("OIDC_AUDIENCE=voice")}, "OIDC_AUDIENCE needs", 3);
        row("issuer in the open", {},
            {QStringLiteral("OIDC_ISSUER=http://login.example"), QStringLiteral("OIDC_AUDIENCE=voice")},
            "issuers[0].url", 3);
        row("short secret", embedded(), {QStringLiteral("JWT_SECRET=marker")}, "secret has to have");
        row("Redis without a secret", embedded(), {QStringLiteral("REDIS_URL=redis://:marker@localhost")},
            "secret is needed");
        row("any page", embedded(), {QStringLiteral("ALLOWED_ORIGINS=*")}, "allowed_origins");
        row("unknown option", {QStringLiteral("--nonsense")}, {}, "--nonsense");
        row("bad listen", embedded() + QStringList{listen, QStringLiteral("nowhere")}, {}, "--listen");
        row("bad listen alone", {listen, QStringLiteral("nowhere")}, {}, "--listen", 4);
        row("in the open", {QStringLiteral("--embedded"), listen, QStringLiteral("0.0.0.0:0")}, {},
            "outside loopback needs");
        row("provider in the open", embedded(QStringLiteral("http://voice.example")), {},
            "provider.url has to be https");
        row("no such file", {QStringLiteral("--config"), QStringLiteral("/nonexistent")}, {}, "--config");
        row("bad level", {QStringLiteral("--log-level"), QStringLiteral("loud")}, {}, "--log-level", 4);
        row("bad rate", embedded(), {QStringLiteral("VOICE_AGENT_RATE_LIMIT=marker")}, "VOICE_AGENT_RATE_LIMIT");
        row("bad duration", embedded(), {QStringLiteral("VOICE_AGENT_TOKEN_DURATION=5")}, "VOICE_AGENT_TOKEN_DURATION");
        row("bad key", embedded(), {QStringLiteral("OPENAI_API_KEY=marker two")}, "OPENAI_API_KEY");
    }
    void badStart_IsALineForEachFaultAndExitCodeTwo()
    {
        QFETCH(QStringList, arguments);
        QFETCH(QStringList, environment);
        QFETCH(QByteArray, said);
        QFETCH(int, faults);
        Program program(arguments, environment);
        QCOMPARE(program.end(), 2);
        const QByteArray error = program.process.readAllStandardError();
        QVERIFY2(error.contains(said), error.constData());
        for (const QByteArray& line : error.trimmed().split('\n')) {
            QVERIFY2(line.startsWith("vivavoce-broker: ") && line.endsWith(')'), line.constData());
        }
        QCOMPARE(error.count(said), qsizetype{1});
        QCOMPARE(error.count('\n'), qsizetype{faults});
        QVERIFY(!error.contains("marker"));
        QVERIFY(program.process.readAllStandardOutput().isEmpty());
    }

    void badCredential_IsRefused_data()
    {
        QTest::addColumn<QByteArray>("input");
        QTest::newRow("nothing") << QByteArray();
        QTest::newRow("half a line") << QByteArray("credential-marker");
        QTest::newRow("empty line") << QByteArray("\n\n");
        QTest::newRow("one line of two") << QByteArray("credential-marker\n");
        QTest::newRow("a space") << QByteArray("credential marker\n\n");
        QTest::newRow("too long") << QByteArray(4097, 'x') + "\n\n";
    }
    void badCredential_IsRefused()
    {
        QFETCH(QByteArray, input);
        Program program(embedded());
        program.process.write(input);
        program.process.closeWriteChannel();
        QCOMPARE(program.end(), 2);
        const QByteArray error = program.process.readAllStandardError();
        QVERIFY2(error.contains("--credential-fd"), error.constData());
        QVERIFY(!error.contains("marker"));
    }

    void portInUse_IsExitCodeEight()
    {
        QTcpServer other;
        QVERIFY(other.listen(QHostAddress::LocalHost));
        QStringList arguments = embedded();
        arguments[2] = QStringLiteral("127.0.0.1:%1").arg(other.serverPort());
        Program program(arguments);
        program.process.write("c\n\n");
        QCOMPARE(program.end(), 8);
    }

    void helpVersionAndConfig_ArePrinted()
    {
        Program help({QStringLiteral("--help")});
        QCOMPARE(help.end(), 0);
        QVERIFY(help.process.readAllStandardOutput().contains("--credential-fd"));
        Program version({QStringLiteral("--version")});
        QCOMPARE(version.end(), 0);
        QVERIFY(version.process.readAllStandardOutput().startsWith("vivavoce-broker "));
        Program config({QStringLiteral("--print-config")}, {QStringLiteral("OPENAI_API_KEY=key-marker")});
        QCOMPARE(config.end(), 0);
        const QByteArray text = config.process.readAllStandardOutput();
        QVERIFY(text.contains("api_key is set") && !text.contains("marker"));
    }

    void ready_IsOneLineAndTheUrlAnswers()
    {
        RunningProgram program;
        QVERIFY(program.isReady);
        QVERIFY(program.ask("GET /healthz HTTP/1.1").startsWith("HTTP/1.1 200 "));
        QVERIFY(program.process.readAllStandardOutput().isEmpty());
    }

    void parentsPipe_Closing_EndsTheBroker()
    {
        RunningProgram program;
        QVERIFY(program.isReady);
        program.process.closeWriteChannel();
        QCOMPARE(program.end(), 0);
    }

    void parentsPipe_MoreBytes_AreIgnored()
    {
        RunningProgram program;
        program.process.write(QByteArray(10'000, 'x'));
        QVERIFY(program.process.waitForBytesWritten(kPatienceMs) || program.process.bytesToWrite() == 0);
        QVERIFY(program.ask("GET /readyz HTTP/1.1").startsWith("HTTP/1.1 200 "));
    }

    void signal_EndsTheBrokerWithZero_data()
    {
        QTest::addColumn<int>("number");
        QTest::newRow("SIGTERM") << SIGTERM;
        QTest::newRow("SIGINT") << SIGINT;
    }
    void signal_EndsTheBrokerWithZero()
    {
        QFETCH(int, number);
        RunningProgram program;
        QVERIFY(program.isReady);
        QCOMPARE(::kill(static_cast<pid_t>(program.process.processId()), number), 0);
        QCOMPARE(program.end(), 0);
    }

    void signal_WithAnIdleConnection_EndsInTime()
    {
        RunningProgram program;
        QTcpSocket idle;
        idle.connectToHost(QStringLiteral("127.0.0.1"), program.port);
        QVERIFY(idle.waitForConnected(kPatienceMs));
        idle.write("POST /api/voice-agent/token HTTP/1.1\r\nHost: x\r\nContent-Le");
        QVERIFY(idle.waitForBytesWritten(kPatienceMs));
        QElapsedTimer timer;
        timer.start();
        program.process.terminate();
        QCOMPARE(program.end(), 0);
        QVERIFY2(timer.elapsed() < 6'000, qPrintable(QString::number(timer.elapsed())));
    }

    void logOfARun_IsJsonLinesWithoutSecrets()
    {
        QTcpServer provider;
        QVERIFY(provider.listen(QHostAddress::LocalHost));
        RunningProgram program(embedded(QStringLiteral("http://127.0.0.1:%1").arg(provider.serverPort())));
        QVERIFY(program.isReady);
        (void)program.ask("GET /healthz?token=query-marker HTTP/1.1");
        (void)program.ask(
            "POST /api/voice-agent/token HTTP/1.1\r\nContent-Type: application/json\r\nAuthorization: Bearer wrong-marker",
            "{}");

        QTcpSocket client;
        client.connectToHost(QStringLiteral("127.0.0.1"), program.port);
        QVERIFY(client.waitForConnected(kPatienceMs));
        client.write(
            "POST /api/voice-agent/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
            "Authorization: Bearer "
            + kCredential + "\r\nContent-Length: 2\r\n\r\n{}");
        QVERIFY(client.waitForBytesWritten(kPatienceMs));
        QVERIFY(provider.waitForNewConnection(kPatienceMs));
        QTcpSocket* const asked = provider.nextPendingConnection();
        QByteArray question;
        while (!question.contains("\r\n\r\n") && asked->waitForReadyRead(kPatienceMs)) {
            question += asked->readAll();
        }
        QVERIFY(question.contains("Authorization: Bearer " + kProviderKey));
        const QByteArray token = R"({"value":"ek_marker","expires_at":4000000000})";
        asked->write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + QByteArray::number(token.size())
            + "\r\n\r\n" + token);
        QVERIFY(asked->waitForBytesWritten(kPatienceMs));
        asked->disconnectFromHost();
        while (client.waitForReadyRead(kPatienceMs)) {
        }
        QVERIFY(client.readAll().contains("ek_marker"));

        program.process.closeWriteChannel();
        QCOMPARE(program.end(), 0);
        const QByteArray log = program.process.readAllStandardError();
        QVERIFY(log.contains("session.opened") && log.contains("auth.refused") && log.contains("broker.stopped"));
        QVERIFY2(!log.contains("marker"), log.constData());
        for (const QByteArray& line : log.trimmed().split('\n')) {
            const auto object = QJsonDocument::fromJson(line).object();
            QVERIFY2(
                object.contains(u"time") && object.contains(u"level") && object.contains(u"event"), line.constData());
        }
    }

    void secrets_AreNotInTheArgumentsOrTheEnvironment()
    {
#ifdef Q_OS_LINUX
        QStringList arguments = embedded();
        Program program(arguments, {QStringLiteral("OPENAI_API_KEY=key-marker")});
        program.process.write(kCredential + "\n\n");
        QVERIFY(program.line().contains("listening"));
        const QString folder = QStringLiteral("/proc/%1/").arg(program.process.processId());
        for (const char* name : {"cmdline", "environ"}) {
            QFile file(folder + QString::fromLatin1(name));
            // Undumpable: the kernel lets nobody but root look at all.
            if (file.open(QIODevice::ReadOnly)) {
                QVERIFY(!file.readAll().contains("marker"));
            }
        }
        QFile limits(folder + QStringLiteral("limits"));
        QVERIFY(limits.open(QIODevice::ReadOnly));
        const QByteArray text = limits.readAll();
        const QByteArray core = text.mid(text.indexOf("Max core file size")).split('\n').first().simplified();
        QVERIFY2(core.startsWith("Max core file size 0 0"), core.constData());
#else
        QSKIP("there is no /proc here");
#endif
    }
};

QTEST_GUILESS_MAIN(TestBrokerProgram)
#include "test_broker_program.moc"
