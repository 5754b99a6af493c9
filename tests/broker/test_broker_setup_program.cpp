#include "broker/config_secrets.h"
#include "tests/net/test_certificates.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QRegularExpression>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

using namespace vivavoce;

namespace {

constexpr int kPatienceMs = 20'000;

QString source(const char* path)
{
    return qEnvironmentVariable("VV_SOURCE_DIR") + QLatin1Char('/') + QLatin1String(path);
}

/// The real vivavoce-broker in a folder of the test's.
class Program {
public:
    Program(const QString& folder, const QStringList& arguments, const QStringList& environment = {})
    {
        QProcessEnvironment variables = QProcessEnvironment::systemEnvironment();
        for (const auto& one : broker::secretSources()) {
            variables.remove(QString::fromLatin1(one.variable));
            variables.remove(QString::fromLatin1(one.fileVariable));
        }
        for (const QString& item : environment) {
            variables.insert(item.section(u'=', 0, 0), item.section(u'=', 1));
        }
        process.setProcessEnvironment(variables);
        process.setWorkingDirectory(folder);
        process.start(qEnvironmentVariable("VV_BIN_DIR") + QStringLiteral("/vivavoce-broker"), arguments);
    }
    ~Program()
    {
        process.kill();
        process.waitForFinished(kPatienceMs);
    }
    int end()
    {
        const bool hasEnded = process.state() == QProcess::NotRunning || process.waitForFinished(kPatienceMs);
        return hasEnded && process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    }
    /// Where it says that it listens.
    QString url()
    {
        while (!process.canReadLine() && process.waitForReadyRead(kPatienceMs)) {
        }
        return QJsonDocument::fromJson(process.readLine()).object().value(u"url").toString();
    }

    QProcess process;
};

QByteArray contentsOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

bool write(const QString& path, const QByteArray& bytes)
{
    QFile file(path);
    return file.open(QIODevice::WriteOnly) && file.setPermissions(QFile::ReadOwner | QFile::WriteOwner)
        && file.write(bytes) == bytes.size();
}

const QStringList kListen{QStringLiteral("--listen"), QStringLiteral("127.0.0.1:0")};

} // namespace

class TestBrokerSetupProgram : public QObject {
    Q_OBJECT

private slots:
    void init_ThenAnIssuerAndAKey_StartsTheBroker()
    {
        const QTemporaryDir folder;
        Program init(folder.path(), {QStringLiteral("init")});
        QCOMPARE(init.end(), 0);
        QVERIFY(init.process.readAllStandardOutput().contains("check-config --config broker.toml"));
        const QStringList environment{QStringLiteral("OPENAI_API_KEY=key"),
            QStringLiteral("OIDC_ISSUER=https://login.example"), QStringLiteral("OIDC_AUDIENCE=voice")};
        const QStringList config{QStringLiteral("--config"), QStringLiteral("broker.toml")};
        Program check(folder.path(), QStringList{QStringLiteral("check-config")} + config, environment);
        QCOMPARE(check.end(), 0);
        QCOMPARE(check.process.readAllStandardOutput(), QByteArray("ok\n"));
        QCOMPARE(check.process.readAllStandardError(), QByteArray());
        Program broker(folder.path(), config + kListen, environment);
        QVERIFY2(broker.url().startsWith(u"http://127.0.0.1:"), broker.process.readAllStandardError().constData());
        broker.process.terminate();
        QCOMPARE(broker.end(), 0);
        const QByteArray before = contentsOf(folder.filePath(QStringLiteral("broker.toml")));
        Program again(folder.path(), {QStringLiteral("init")});
        QCOMPARE(again.end(), 2);
        QVERIFY(again.process.readAllStandardError().contains("is there already"));
        QCOMPARE(contentsOf(folder.filePath(QStringLiteral("broker.toml"))), before);
    }

    void initForProduction_FilledIn_StartsTheBroker()
    {
        const QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("broker.toml"));
        const QStringList config{QStringLiteral("--config"), path};
        Program init(folder.path(), {QStringLiteral("init"), QStringLiteral("--production"), path});
        QCOMPARE(init.end(), 0);
        Program unfinished(folder.path(), config);
        QCOMPARE(unfinished.end(), 2);
        QCOMPARE(unfinished.process.readAllStandardError().count("has still to be filled in: it says CHANGE-ME (line "),
            qsizetype{5});

        const auto certificates = net::test::makeCertificates(folder.path().toStdString());
        QByteArray text = contentsOf(path);
        text.replace("/etc/vivavoce/CHANGE-ME-cert.pem", certificates.forLocalhost.certificateChain.c_str());
        text.replace("/etc/vivavoce/CHANGE-ME-key.pem", certificates.forLocalhost.privateKey.c_str());
        text.replace("https://CHANGE-ME", "https://localhost");
        text.replace("CHANGE-ME", "vivavoce");
        text.replace("/var/lib/vivavoce", folder.path().toUtf8());
        QVERIFY(write(path, text));
        const QString credentials = folder.filePath(QStringLiteral("openai_api_key"));
        QVERIFY(write(credentials, "key\n"));
        const QStringList environment{QStringLiteral("CREDENTIALS_DIRECTORY=") + folder.path()};
        Program check(folder.path(), QStringList{QStringLiteral("check-config")} + config, environment);
        QCOMPARE(check.end(), 0);
        Program broker(folder.path(), config + kListen, environment);
        QVERIFY2(broker.url().startsWith(u"https://127.0.0.1:"), broker.process.readAllStandardError().constData());
        broker.process.terminate();
        QCOMPARE(broker.end(), 0);
        const QByteArray log = broker.process.readAllStandardError();
        // The certificate of the test is for a day; that is a matter of check-config.
        QVERIFY2(!log.contains("configuration.warning"), log.constData());
    }

    void start_WithASecretThatOthersCanRead_SaysSoInTheLog()
    {
        const QTemporaryDir folder;
        QVERIFY(QFile::setPermissions(folder.path(), QFile::Permissions(0x7755)));
        Program init(folder.path(), {QStringLiteral("init")});
        QCOMPARE(init.end(), 0);
        QVERIFY(QFile::setPermissions(folder.filePath(QStringLiteral("broker.toml")), QFile::Permissions(0x6644)));
        Program broker(folder.path(), kListen + QStringList{QStringLiteral("--config"), QStringLiteral("broker.toml")},
            {QStringLiteral("OIDC_ISSUER=https://login.example"), QStringLiteral("OIDC_AUDIENCE=voice")});
        QVERIFY(!broker.url().isEmpty());
        broker.process.terminate();
        QCOMPARE(broker.end(), 0);
        int warnings = 0;
        for (const QByteArray& line : broker.process.readAllStandardError().trimmed().split('\n')) {
            const auto object = QJsonDocument::fromJson(line).object();
            QVERIFY2(!object.isEmpty(), line.constData());
            warnings += object.value(u"event") == QStringLiteral("configuration.warning") ? 1 : 0;
        }
        // That one, where its folder can be reached, and that there is no key for the provider.
        const bool isOpen = (QFile::permissions(QDir::tempPath()) & QFile::ExeOther) != 0;
        QCOMPARE(warnings, isOpen ? 2 : 1);
    }

    void reload_WithoutWhatAStartNeeds_ChangesNothing()
    {
        const QTemporaryDir folder;
        Program init(folder.path(), {QStringLiteral("init")});
        QCOMPARE(init.end(), 0);
        const QString path = folder.filePath(QStringLiteral("broker.toml"));
        Program broker(folder.path(), kListen + QStringList{QStringLiteral("--config"), QStringLiteral("broker.toml")},
            {QStringLiteral("OIDC_ISSUER=https://login.example"), QStringLiteral("OIDC_AUDIENCE=voice")});
        QVERIFY(!broker.url().isEmpty());
        QByteArray text = contentsOf(path);
        QVERIFY(write(path, text.replace("\nsecret = ", "\n#secret = ").replace("\n#duration = 60", "\nduration = 9")));
        QCOMPARE(::kill(static_cast<pid_t>(broker.process.processId()), SIGHUP), 0);
        QByteArray log;
        QVERIFY(QTest::qWaitFor(
            [&] {
                log += broker.process.readAllStandardError();
                return log.contains("config.reload_failed");
            },
            kPatienceMs));
        QVERIFY2(log.contains("tokens.duration has to be from 10 to 7200 (line ")
                && log.contains("; 1 more: vivavoce-broker check-config"),
            log.constData());
        broker.process.terminate();
        QCOMPARE(broker.end(), 0);
    }

    void systemdUnit_OfThePackage_IsGoodAndNamesCredentialsThatAreRead()
    {
        QByteArray unit = contentsOf(source("packaging/broker/vivavoce-broker.service"));
        static const QRegularExpression credential(
            QStringLiteral("^LoadCredential=([a-z_]+):"), QRegularExpression::MultilineOption);
        auto found = credential.globalMatch(QString::fromUtf8(unit));
        QVERIFY(found.hasNext());
        while (found.hasNext()) {
            const QString name = found.next().captured(1);
            const auto& sources = broker::secretSources();
            QVERIFY2(std::any_of(sources.begin(), sources.end(),
                         [&](const broker::SecretSource& one) { return name == QLatin1String(one.credential); }),
                qPrintable(name));
        }
        const QString analyze = QStandardPaths::findExecutable(QStringLiteral("systemd-analyze"));
        if (analyze.isEmpty()) {
            QSKIP("there is no systemd-analyze");
        }
        const QTemporaryDir folder;
        unit.replace("/usr/bin/vivavoce-broker", qEnvironmentVariable("VV_BIN_DIR").toUtf8() + "/vivavoce-broker");
        const QString path = folder.filePath(QStringLiteral("vivavoce-broker.service"));
        QVERIFY(write(path, unit));
        QProcess verify;
        verify.start(analyze, {QStringLiteral("verify"), QStringLiteral("--man=no"), path});
        QVERIFY(verify.waitForFinished(kPatienceMs));
        const QByteArray said = verify.readAllStandardError();
        QVERIFY2(verify.exitCode() == 0 && !said.contains("vivavoce-broker.service"), said.constData());
    }
};

QTEST_GUILESS_MAIN(TestBrokerSetupProgram)
#include "test_broker_setup_program.moc"
