#include "broker/store/connection.h"
#include "core/base/json.h"
#include "tests/broker/broker_cluster.h"
#include "tests/broker/relay_harness.h"
#include "tests/broker/test_secrets.h"
#include "tests/broker/usage_filler.h"
#include "tests/net/test_certificates.h"

#include <nlohmann/json.hpp>

#include <QElapsedTimer>
#include <QProcess>
#include <QStandardPaths>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>
#include <unistd.h>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

bool isSoak()
{
    return qEnvironmentVariableIsSet("VV_SOAK");
}

/// Empty: a trial of many clients is wanted, and can be.
QString whyNot()
{
    if (!isSoak()) {
        return QStringLiteral("for ./dev soak scale_out");
    }
    const QString missing = BrokerCluster::missing();
    return missing.isEmpty() ? missing : QStringLiteral("NOT TESTED: ") + missing;
}

QString source(const char* name)
{
    return qEnvironmentVariable("VV_SOURCE_DIR") + QStringLiteral("/packaging/broker/") + QString::fromUtf8(name);
}

std::string textOf(const std::string& path)
{
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

Json parsed(const Exchange& answer)
{
    const auto json = core::parseJson(answer.body);
    return json && json->is_object() ? *json : Json::object();
}

std::string tokenOf(const Exchange& answer)
{
    return parsed(answer).value("token", std::string());
}

const std::string kTurn = R"({"type":"response.create"})";

/// Clients that talk through the proxy, side by side: each has a session of its own and asks for one turn after another. Who loses the
/// connection opens another one for the same session. Others mint all the while.
class TalkingClients {
public:
    TalkingClients(const BrokerCluster& cluster, std::size_t count) : m_cluster(cluster), m_clients(count)
    {
        for (Client& client : m_clients) {
            m_threads.emplace_back([this, &client] { talk(client); });
        }
        m_threads.emplace_back([this] { mint(); });
    }
    ~TalkingClients() { finish(); }
    TalkingClients(const TalkingClients&) = delete;
    TalkingClients& operator=(const TalkingClients&) = delete;

    void finish()
    {
        {
            const std::lock_guard lock(m_mutex);
            m_isStopping = true;
        }
        m_changed.notify_all();
        for (std::thread& thread : m_threads) {
            thread.join();
        }
        m_threads.clear();
    }
    /// Each of them has heard so many more turns than now.
    [[nodiscard]] bool allHear(int more)
    {
        std::vector<int> wanted;
        for (const Client& client : m_clients) {
            wanted.push_back(client.heard + more);
        }
        return QTest::qWaitFor(
            [&] {
                for (std::size_t i = 0; i < m_clients.size(); ++i) {
                    if (m_clients[i].heard < wanted[i]) {
                        return false;
                    }
                }
                return true;
            },
            30'000);
    }
    [[nodiscard]] int heard() const { return sum(&Client::heard); }
    /// Streams that were opened, the first ones included.
    [[nodiscard]] int opened() const { return sum(&Client::opened); }
    /// Sessions that were begun: one each, where none is ended.
    [[nodiscard]] int begun() const { return sum(&Client::begun); }
    [[nodiscard]] int minted() const { return m_minted; }
    /// Mints that had no token for an answer.
    [[nodiscard]] int notMinted() const { return m_notMinted; }
    [[nodiscard]] std::vector<std::string> tokens() const
    {
        std::vector<std::string> all;
        for (const Client& client : m_clients) {
            all.push_back(client.token);
        }
        return all;
    }

private:
    struct Client {
        std::atomic<int> heard{0};
        std::atomic<int> opened{0};
        std::atomic<int> begun{0};
        std::string token;
    };

    [[nodiscard]] int sum(std::atomic<int> Client::*number) const
    {
        int all = 0;
        for (const Client& client : m_clients) {
            all += client.*number;
        }
        return all;
    }
    /// False: it is over.
    bool pause()
    {
        std::unique_lock lock(m_mutex);
        return !m_changed.wait_for(lock, std::chrono::milliseconds(50), [this] { return m_isStopping; });
    }
    bool goesOn()
    {
        const std::lock_guard lock(m_mutex);
        return !m_isStopping;
    }

    void talk(Client& client)
    {
        do {
            if (client.token.empty()) {
                client.token = tokenOf(m_cluster.ask(m_cluster.proxyPort(), "POST", "/api/voice/session", "{}"));
                client.begun += client.token.empty() ? 0 : 1;
                continue;
            }
            StreamClient stream(BrokerCluster::streamRequest(m_cluster.proxyPort(), client.token));
            if (stream.status() == 401 || stream.status() == 403) {
                client.token.clear();
            }
            if (stream.status() != 101) {
                continue;
            }
            ++client.opened;
            bool isThere = true;
            while (isThere && goesOn()) {
                stream.line().send(kTurn);
                isThere = stream.line().nextOrEnd().has_value();
                client.heard += isThere ? 1 : 0;
            }
        } while (pause());
    }

    void mint()
    {
        do {
            const auto answer = m_cluster.ask(m_cluster.proxyPort(), "POST", "/api/voice-agent/token", "{}");
            ++(answer.status == 200 ? m_minted : m_notMinted);
        } while (pause());
    }

    const BrokerCluster& m_cluster;
    std::vector<Client> m_clients;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_isStopping = false;
    std::atomic<int> m_minted{0};
    std::atomic<int> m_notMinted{0};
    std::vector<std::thread> m_threads;
};

/// What the ledger has, in each of its tables.
struct Ledger {
    long long turns = 0;
    long long tokens = 0;
    long long nanoDollars = 0;
};
std::vector<Ledger> ledgerOf(const BrokerCluster& cluster)
{
    UsageFiller store(cluster.postgres.url());
    std::vector<Ledger> all;
    for (const char* table : {"usage_sessions", "usage_parts", "usage_days"}) {
        Ledger ledger;
        store.run([&](broker::Connection& sql) {
            sql << "SELECT CAST(SUM(turns) AS BIGINT), CAST(SUM(audio_out) AS BIGINT), CAST(SUM(nano_dollars) AS BIGINT) FROM "
                    + std::string(table),
                soci::into(ledger.turns), soci::into(ledger.tokens), soci::into(ledger.nanoDollars);
        });
        all.push_back(ledger);
    }
    return all;
}

/// What a process has used so far.
double processorMs(const std::string& process)
{
    std::ifstream file(process + "/stat");
    std::string text;
    std::getline(file, text);
    const std::size_t name = text.rfind(')');
    if (name == std::string::npos) {
        return 0;
    }
    // Behind the name, which may hold anything: the state is the third field; the fourteenth and the fifteenth are what is wanted.
    std::istringstream fields(text.substr(name + 2));
    std::string field;
    double ticks = 0;
    for (int number = 3; number <= 15; ++number) {
        fields >> field;
        ticks += number >= 14 ? std::stod(field) : 0;
    }
    return ticks * 1'000 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Of the server whose data lie there.
double postgresMs(const std::string& folder)
{
    double ms = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::error_code error;
        const auto at = std::filesystem::read_symlink(entry.path() / "cwd", error);
        if (!error && at.string().starts_with(folder + "/")) {
            ms += processorMs(entry.path().string());
        }
    }
    return ms;
}

long long rowsWritten(const BrokerCluster& cluster)
{
    UsageFiller store(cluster.postgres.url());
    long long rows = 0;
    store.run([&](broker::Connection& sql) {
        sql << "SELECT CAST(SUM(n_tup_ins + n_tup_upd + n_tup_del) AS BIGINT) FROM pg_stat_user_tables",
            soci::into(rows);
    });
    return rows;
}

} // namespace

/// Several brokers on one PostgreSQL and one Redis, behind HAProxy. The trials of many clients are for ./dev soak.
class TestBrokerCluster : public QObject {
    Q_OBJECT

private slots:
    /// HAProxy itself finds nothing to say about the file that we ship, warnings included.
    void proxyConfiguration_IsUnderstood()
    {
        const QString haproxy =
            QStandardPaths::findExecutable(QStringLiteral("haproxy"), {QStringLiteral("/usr/sbin")});
        const QTemporaryDir folder;
        const auto tls = net::test::makeCertificates(folder.path().toStdString()).forLocalhost;
        const QString pem = folder.filePath(QStringLiteral("voice.pem"));
        std::ofstream(pem.toStdString()) << textOf(tls.certificateChain) << textOf(tls.privateKey);
        const std::string text =
            BrokerCluster::proxyConfiguration("127.0.0.1:1 ssl crt " + pem.toStdString() + " alpn h2,http/1.1",
                folder.filePath(QStringLiteral("admin.sock")).toStdString(), {1, 2, 3});
        QVERIFY(!text.empty());
        if (haproxy.isEmpty()) {
            QSKIP("NOT TESTED: haproxy is not installed");
        }
        const QString file = folder.filePath(QStringLiteral("haproxy.cfg"));
        std::ofstream(file.toStdString()) << text;
        QProcess check;
        check.setProcessChannelMode(QProcess::MergedChannels);
        check.start(haproxy, {QStringLiteral("-c"), QStringLiteral("-f"), file});
        QVERIFY(check.waitForFinished(20'000));
        const QByteArray said = check.readAll();
        QVERIFY2(check.exitCode() == 0 && !said.contains("WARNING") && !said.contains("ALERT"), said.constData());
    }

    /// But for its folder, which is not there.
    void configurationInContainers_Does()
    {
        QProcess check;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("OPENAI_API_KEY"), QStringLiteral("any"));
        environment.insert(QStringLiteral("JWT_SECRET"), QString::fromUtf8(kTestSecret));
        environment.insert(
            QStringLiteral("DATABASE_URL"), QStringLiteral("postgresql://vivavoce:word@postgres/vivavoce"));
        environment.insert(QStringLiteral("REDIS_URL"), QStringLiteral("redis://:word@redis"));
        check.setProcessEnvironment(environment);
        check.start(qEnvironmentVariable("VV_BIN_DIR") + QStringLiteral("/vivavoce-broker"),
            {QStringLiteral("check-config"), QStringLiteral("--config"), source("compose.toml")});
        QVERIFY(check.waitForFinished(20'000));
        for (const QByteArray& line : check.readAllStandardError().split('\n')) {
            QVERIFY2(line.isEmpty() || line.contains("audit.folder"), line.constData());
        }
        const std::string compose = textOf(source("compose.yaml").toStdString());
        for (const char* name : {"\n  broker-one:\n", "\n  broker-two:\n", "\n  broker-three:\n", "172.30.77.2"}) {
            QVERIFY2(compose.find(name) != std::string::npos, name);
        }
    }

    /// What shuts the service in shuts in each of several, and systemd understands it.
    void unitOfSeveral_IsTheUnitOfOne()
    {
        const QStringList one =
            QString::fromStdString(textOf(source("vivavoce-broker.service").toStdString())).split(QLatin1Char('\n'));
        QString several = QString::fromStdString(textOf(source("vivavoce-broker@.service").toStdString()));
        for (QString line : one) {
            if (line.startsWith(QLatin1Char('#')) || line.startsWith(QStringLiteral("Description="))) {
                continue;
            }
            line.replace(QStringLiteral("/etc/vivavoce/broker.toml"), QStringLiteral("/etc/vivavoce/%i.toml"));
            if (line.startsWith(QStringLiteral("StateDirectory="))
                || line.startsWith(QStringLiteral("WorkingDirectory="))) {
                line += QStringLiteral("/%i");
            }
            QVERIFY2(several.contains(QLatin1Char('\n') + line + QLatin1Char('\n')), qPrintable(line));
        }
        const QString analyze = QStandardPaths::findExecutable(QStringLiteral("systemd-analyze"));
        if (analyze.isEmpty()) {
            QSKIP("NOT TESTED: there is no systemd-analyze");
        }
        const QTemporaryDir folder;
        several.replace(QStringLiteral("/usr/bin/vivavoce-broker"),
            qEnvironmentVariable("VV_BIN_DIR") + QStringLiteral("/vivavoce-broker"));
        const QString path = folder.filePath(QStringLiteral("vivavoce-broker@one.service"));
        std::ofstream(path.toStdString()) << several.toStdString();
        QProcess verify;
        verify.start(analyze, {QStringLiteral("verify"), QStringLiteral("--man=no"), path});
        QVERIFY(verify.waitForFinished(20'000));
        const QByteArray said = verify.readAllStandardError();
        QVERIFY2(verify.exitCode() == 0 && !said.contains("vivavoce-broker@one.service"), said.constData());
    }

    void sessionOfOneBroker_IsRefreshedMeteredEndedAndBilledAtAnother()
    {
        if (const QString missing = BrokerCluster::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable("NOT TESTED: " + missing));
        }
        BrokerCluster cluster(2);
        QCOMPARE(cluster.start(), QString());
        const std::uint16_t here = cluster.port(0);
        const std::uint16_t there = cluster.port(1);
        const auto begun = cluster.ask(here, "POST", "/api/voice/session", "{}");
        QVERIFY2(begun.status == 200, begun.body.c_str());
        const auto refreshed = cluster.ask(there, "POST", "/api/voice-agent/refresh-token", "{}", tokenOf(begun));
        QVERIFY2(refreshed.status == 200, refreshed.body.c_str());
        QCOMPARE(refreshed.sessionId(), begun.sessionId());
        // What was spent there opens nothing here.
        QCOMPARE(StreamClient(BrokerCluster::streamRequest(here, tokenOf(begun))).status(), 401);
        StreamClient client(BrokerCluster::streamRequest(here, tokenOf(refreshed)));
        QCOMPARE(client.status(), 101);
        constexpr int kTurns = 3;
        for (int i = 0; i < kTurns; ++i) {
            client.line().send(kTurn);
            QVERIFY(client.line().nextOrEnd().has_value());
        }
        const Json usage = parsed(cluster.ask(there, "GET", "/api/voice/usage"));
        QCOMPARE(usage.value("turns", 0), kTurns);
        QCOMPARE(usage["tokens"]["audioOut"].get<int>(), kTurns * TurnProvider::kTokensOfATurn);
        QCOMPARE(usage["totalSessions"].get<int>(), 1);
        QElapsedTimer since;
        since.start();
        QCOMPARE(cluster.ask(there, "DELETE", "/api/voice/session/" + begun.sessionId()).status, 200U);
        QCOMPARE(client.line().end().code, std::uint16_t{4403});
        const qint64 took = since.elapsed();
        QVERIFY2(took < 1'000, qPrintable(QString::number(took)));
        qInfo("ended elsewhere after %lld ms", static_cast<long long>(took));
        for (const Ledger& ledger : ledgerOf(cluster)) {
            QCOMPARE(ledger.turns, static_cast<long long>(cluster.provider.turns()));
        }
        QCOMPARE(cluster.ask(here, "POST", "/api/voice-agent/refresh-token", "{}", tokenOf(refreshed)).status, 401U);
        // Through the proxy it goes on with whoever is there.
        const auto again = cluster.ask(cluster.proxyPort(), "POST", "/api/voice/session", "{}");
        QCOMPARE(again.status, 200U);
        cluster.broker(0).kill();
        StreamClient moved(BrokerCluster::streamRequest(cluster.proxyPort(), tokenOf(again)));
        QCOMPARE(moved.status(), 101);
    }

    void limit_OfThreeBrokers_IsOne()
    {
        if (const QString why = whyNot(); !why.isEmpty()) {
            QSKIP(qPrintable(why));
        }
        constexpr std::size_t kMany = 200;
        constexpr int kLimit = 10;
        BrokerCluster cluster(3);
        for (std::size_t i = 0; i < cluster.size(); ++i) {
            cluster.broker(i).setVariable("VOICE_AGENT_RATE_LIMIT", std::to_string(kLimit));
        }
        QCOMPARE(cluster.start(), QString());
        std::vector<std::future<Exchange>> answers;
        for (std::size_t i = 0; i < kMany; ++i) {
            answers.push_back(std::async(std::launch::async,
                [&] { return cluster.ask(cluster.proxyPort(), "POST", "/api/voice-agent/token", "{}"); }));
        }
        std::map<unsigned, int> counts;
        for (auto& answer : answers) {
            ++counts[answer.get().status];
        }
        QCOMPARE(counts, (std::map<unsigned, int>{{200, kLimit}, {429, static_cast<int>(kMany) - kLimit}}));
        std::size_t used = 0;
        for (std::size_t i = 0; i < cluster.size(); ++i) {
            used += cluster.broker(i).auditedSessions().empty() ? 0 : 1;
        }
        qInfo("%d of %zu by %zu brokers", kLimit, kMany, used);
    }

    void brokerKilledUnderLoad_IsMissedByNobody_AndNothingIsBilledTwice()
    {
        if (const QString why = whyNot(); !why.isEmpty()) {
            QSKIP(qPrintable(why));
        }
        constexpr std::size_t kClients = 24;
        BrokerCluster cluster(3);
        QCOMPARE(cluster.start(), QString());
        TalkingClients clients(cluster, kClients);
        QVERIFY(clients.allHear(5));
        for (std::size_t i = 0; i < cluster.size(); ++i) {
            const int before = clients.opened();
            QElapsedTimer since;
            since.start();
            cluster.broker(i).kill();
            QVERIFY(clients.allHear(5));
            qInfo("broker %s killed: all %zu clients talk again after %lld ms, %d of them by another stream",
                BrokerCluster::nameOf(i), kClients, static_cast<long long>(since.elapsed()), clients.opened() - before);
            QVERIFY(cluster.startBroker(i));
            QVERIFY(cluster.comesTo(i, "UP"));
        }
        clients.finish();
        // What the provider had said and nobody heard of when a broker died: one turn of each stream that was lost, at most.
        const int lost = cluster.provider.turns() - clients.heard();
        QVERIFY2(lost <= clients.opened(), qPrintable(QString::number(lost)));
        const auto all = ledgerOf(cluster);
        for (const Ledger& ledger : all) {
            QVERIFY(ledger.turns <= static_cast<long long>(cluster.provider.turns()));
            // A client does not wait for the ledger for longer than a quarter of a second: with a database that is slower than that, a
            // stream that is lost may take with it what its client has heard of last.
            QVERIFY2(clients.heard() - ledger.turns <= clients.opened() - static_cast<int>(kClients),
                qPrintable(QString::number(clients.heard() - ledger.turns)));
            QCOMPARE(ledger.tokens, ledger.turns * TurnProvider::kTokensOfATurn);
            QCOMPARE(ledger.nanoDollars, all.front().nanoDollars);
            QCOMPARE(ledger.nanoDollars % ledger.turns, 0);
        }
        QCOMPARE(clients.begun(), static_cast<int>(kClients));
        QVERIFY(clients.minted() > 0);
        qInfo(
            "the provider billed %d turns, clients heard of %d, the ledger has %lld; %d mints, %d failed with a broker",
            cluster.provider.turns(), clients.heard(), all.front().turns, clients.minted(), clients.notMinted());
    }

    /// What docs/operations.md, "Sizing", reckons with; processor time, since the machine may be busy with other things.
    void figures_OfManyClients()
    {
        if (const QString why = whyNot(); !why.isEmpty()) {
            QSKIP(qPrintable(why));
        }
        for (const std::size_t brokers : {std::size_t{1}, std::size_t{3}}) {
            BrokerCluster cluster(brokers);
            QCOMPARE(cluster.start(), QString());
            TalkingClients clients(cluster, 24);
            QVERIFY(clients.allHear(5));
            const auto used = [&] {
                double ms = 0;
                for (std::size_t i = 0; i < brokers; ++i) {
                    ms += processorMs("/proc/" + std::to_string(cluster.broker(i).pid()));
                }
                return ms;
            };
            const double brokersBefore = used();
            const double postgresBefore = postgresMs(cluster.postgres.folder());
            const int turnsBefore = cluster.provider.turns();
            const long long rowsBefore = rowsWritten(cluster);
            QElapsedTimer since;
            since.start();
            QVERIFY(clients.allHear(100));
            const double seconds = static_cast<double>(since.elapsed()) / 1'000;
            const int turns = cluster.provider.turns() - turnsBefore;
            const double ofBrokers = used() - brokersBefore;
            const double ofPostgres = postgresMs(cluster.postgres.folder()) - postgresBefore;
            const long long rows = rowsWritten(cluster) - rowsBefore;
            QVERIFY(turns > 0);
            qInfo(
                "%zu brokers: %.0f turns a second; of each %.2f ms of the brokers' processor time and %.2f ms of PostgreSQL's, %.1f rows "
                "written; %.0f rows a second",
                brokers, turns / seconds, ofBrokers / turns, ofPostgres / turns, static_cast<double>(rows) / turns,
                static_cast<double>(rows) / seconds);
            std::vector<std::future<int>> minters;
            const double mintsBefore = used();
            const double postgresMintsBefore = postgresMs(cluster.postgres.folder());
            clients.finish();
            constexpr int kMints = 100;
            since.start();
            for (int i = 0; i < 16; ++i) {
                minters.push_back(std::async(std::launch::async, [&cluster] {
                    int made = 0;
                    for (int k = 0; k < kMints; ++k) {
                        made +=
                            cluster.ask(cluster.proxyPort(), "POST", "/api/voice/session", "{}").status == 200 ? 1 : 0;
                    }
                    return made;
                }));
            }
            int made = 0;
            for (auto& minter : minters) {
                made += minter.get();
            }
            qInfo(
                "%zu brokers: %.0f sessions begun a second; of each %.2f ms of the brokers' processor time and %.2f ms of PostgreSQL's",
                brokers, made * 1'000.0 / static_cast<double>(since.elapsed()), (used() - mintsBefore) / made,
                (postgresMs(cluster.postgres.folder()) - postgresMintsBefore) / made);
            QCOMPARE(made, 16 * kMints);
        }
    }

    void restartOfOneAfterAnother_EndsNoSession_AndRefusesNobody()
    {
        if (const QString why = whyNot(); !why.isEmpty()) {
            QSKIP(qPrintable(why));
        }
        constexpr std::size_t kClients = 24;
        BrokerCluster cluster(3);
        QCOMPARE(cluster.start(), QString());
        TalkingClients clients(cluster, kClients);
        QVERIFY(clients.allHear(5));
        for (std::size_t i = 0; i < cluster.size(); ++i) {
            // As docs/operations.md has it.
            QVERIFY(
                cluster.tellProxy(std::string("set server brokers/") + BrokerCluster::nameOf(i) + " state drain").size()
                <= 1);
            QVERIFY(cluster.comesTo(i, "DRAIN"));
            QElapsedTimer since;
            since.start();
            QCOMPARE(cluster.broker(i).terminate(), 0);
            const qint64 down = since.elapsed();
            QVERIFY(clients.allHear(5));
            QVERIFY(cluster.startBroker(i));
            (void)cluster.tellProxy(std::string("set server brokers/") + BrokerCluster::nameOf(i) + " state ready");
            QVERIFY(cluster.comesTo(i, "UP"));
            qInfo("broker %s: down after %lld ms, up again after %lld", BrokerCluster::nameOf(i),
                static_cast<long long>(down), static_cast<long long>(since.elapsed()));
        }
        QVERIFY(clients.allHear(5));
        clients.finish();
        QCOMPARE(clients.begun(), static_cast<int>(kClients));
        QCOMPARE(clients.notMinted(), 0);
        for (const std::string& token : clients.tokens()) {
            const auto refreshed =
                cluster.ask(cluster.proxyPort(), "POST", "/api/voice-agent/refresh-token", "{}", token);
            QVERIFY2(refreshed.status == 200, refreshed.body.c_str());
        }
        const auto all = ledgerOf(cluster);
        for (const Ledger& ledger : all) {
            // A broker that goes hears the provider out.
            QCOMPARE(ledger.turns, static_cast<long long>(cluster.provider.turns()));
            QCOMPARE(ledger.tokens, ledger.turns * TurnProvider::kTokensOfATurn);
        }
        qInfo(
            "the provider billed %d turns, clients heard of %d, the ledger has %lld; %d streams of %zu clients, %d mints",
            cluster.provider.turns(), clients.heard(), all.front().turns, clients.opened(), kClients, clients.minted());
    }
};

QTEST_GUILESS_MAIN(TestBrokerCluster)
#include "test_broker_cluster.moc"
