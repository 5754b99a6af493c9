#include "broker/audit/audit_verifier.h"
#include "tests/broker/audit_harness.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <QCoreApplication>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTest>

#include <unistd.h>

#include <atomic>
#include <set>

using namespace vivavoce;
using namespace vivavoce::tests;
namespace fs = std::filesystem;

namespace {

constexpr int kPatienceMs = 20'000;
constexpr const char* kChildMode = "append-until-killed";

net::Awaitable<> appendForEver(broker::AuditTrail& trail, std::string prefix)
{
    for (std::uint64_t i = 0; true; ++i) {
        const std::string id = prefix + "-" + std::to_string(i);
        const auto appended = co_await trail.append(mintRecord(id));
        const std::string line = id + "\n";
        // One write: what was acknowledged is out, whenever the end comes.
        if (!appended || ::write(STDOUT_FILENO, line.data(), line.size()) < 0) {
            co_return;
        }
    }
}

/// The child: eight callers append as fast as the disk lets them and print each id that is said to be stored.
int appendUntilKilled(const std::string& folder, const std::string& run)
{
    const core::SystemClock clock;
    CapturedLog log;
    broker::FileAuditTrail::Settings settings;
    settings.folder = folder;
    settings.rotateBytes = 20'000;
    const auto trail = broker::FileAuditTrail::create(settings, {clock, log});
    if (!trail) {
        return 1;
    }
    boost::asio::io_context io;
    for (int i = 0; i < 8; ++i) {
        boost::asio::co_spawn(io, appendForEver(**trail, run + "-" + std::to_string(i)), boost::asio::detached);
    }
    io.run();
    return 1;
}

QProcess& startVerify(QProcess& process, const fs::path& path)
{
    process.start(qEnvironmentVariable("VV_BIN_DIR") + QStringLiteral("/vivavoce-broker"),
        {QStringLiteral("audit"), QStringLiteral("verify"), QString::fromStdString(path.string())});
    process.waitForFinished(kPatienceMs);
    return process;
}

} // namespace

class TestBrokerAuditKill : public QObject {
    Q_OBJECT

private slots:
    void kill_AtLoad_LosesNoIdThatWasAcknowledged()
    {
        const AuditWorld world;
        std::set<std::string> acknowledged;
        constexpr int kills = 25;
        for (int run = 0; run < kills; ++run) {
            QProcess child;
            child.start(QCoreApplication::applicationFilePath(),
                {QString::fromLatin1(kChildMode), QString::fromStdString(world.settings.folder.string()),
                    QString::number(run)});
            QByteArray told;
            // Killed at another point of its work each time.
            while (told.count('\n') < 20 + 7 * run && child.waitForReadyRead(kPatienceMs)) {
                told += child.readAllStandardOutput();
            }
            child.kill();
            QVERIFY(child.waitForFinished(kPatienceMs));
            QCOMPARE(child.exitStatus(), QProcess::CrashExit);
            told += child.readAllStandardOutput();
            QVERIFY2(told.count('\n') >= 20, told.constData());
            for (const QByteArray& id : told.left(told.lastIndexOf('\n')).split('\n')) {
                acknowledged.insert(id.toStdString());
            }
        }
        const auto verified = broker::AuditVerifier::verify(world.settings.folder);
        QVERIFY(verified);
        QVERIFY(verified->files > 1);
        const auto requests = world.requests();
        const std::set<std::string> stored(requests.begin(), requests.end());
        QVERIFY(acknowledged.size() >= kills * 20);
        for (const std::string& id : acknowledged) {
            QVERIFY2(stored.count(id) == 1, id.c_str());
        }

        QProcess program;
        QCOMPARE(startVerify(program, world.settings.folder).exitCode(), 0);
        const auto printed = QJsonDocument::fromJson(program.readAllStandardOutput()).object();
        QCOMPARE(printed.value(u"lines").toInteger(), static_cast<qint64>(verified->lines));
        QCOMPARE(printed.value(u"files").toInteger(), static_cast<qint64>(verified->files));
        QCOMPARE(printed.value(u"lastHash").toString().toStdString(), verified->lastHash);
    }

    void program_OnAFlaw_TellsWhereAndEndsWithTwo()
    {
        AuditWorld world;
        world.fill(3);
        const fs::path file = world.files()[0];
        std::string text = readFile(file);
        text[text.find("somebody", text.find('\n'))] = 'S';
        writeFile(file, text);
        QProcess program;
        QCOMPARE(startVerify(program, file).exitCode(), 2);
        QVERIFY(program.readAllStandardOutput().isEmpty());
        const auto printed = QJsonDocument::fromJson(program.readAllStandardError()).object();
        QCOMPARE(printed.value(u"error").toString(), QStringLiteral("audit.altered"));
        QCOMPARE(printed.value(u"file").toString().toStdString(), file.filename().string());
        QCOMPARE(printed.value(u"line").toInt(), 2);
        QCOMPARE(printed.value(u"linesBefore").toInt(), 1);
    }

    void program_WithoutAPath_IsBadUsage()
    {
        const auto run = [](const QStringList& arguments) {
            QProcess program;
            program.start(qEnvironmentVariable("VV_BIN_DIR") + QStringLiteral("/vivavoce-broker"), arguments);
            program.waitForFinished(kPatienceMs);
            return std::pair(program.exitCode(), program.readAllStandardOutput());
        };
        QCOMPARE(run({QStringLiteral("audit"), QStringLiteral("verify")}).first, 2);
        QCOMPARE(run({QStringLiteral("audit")}).first, 2);
        const auto help = run({QStringLiteral("audit"), QStringLiteral("verify"), QStringLiteral("--help")});
        QCOMPARE(help.first, 0);
        QVERIFY(help.second.contains("PATH") && help.second.contains("lastHash"));
    }
};

int main(int argc, char** argv)
{
    if (argc == 4 && std::string(argv[1]) == kChildMode) {
        return appendUntilKilled(argv[2], argv[3]);
    }
    const QCoreApplication application(argc, argv);
    TestBrokerAuditKill test;
    return QTest::qExec(&test, argc, argv);
}
#include "test_broker_audit_kill.moc"
