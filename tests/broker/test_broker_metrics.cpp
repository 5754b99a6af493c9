#include "tests/broker/operator_world.h"
#include "tests/support/thread_sanitizer.h"

#include "broker/metrics.h"
#include "tests/net/test_certificates.h"

#include <QProcess>
#include <QStandardPaths>
#include <QTest>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

constexpr const char* kMint = "/api/voice-agent/token";

/// Of a series as it is written; nothing where the scrape has none.
std::optional<double> valueOf(const std::string& scrape, const std::string& series)
{
    std::istringstream lines(scrape);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(series + " ")) {
            return std::stod(line.substr(series.size() + 1));
        }
    }
    return std::nullopt;
}

/// All names that a rule may use: of families, and of the parts of histograms.
std::set<std::string> namesIn(const std::string& scrape)
{
    std::set<std::string> names;
    std::istringstream lines(scrape);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string hash;
        std::string word;
        std::string name;
        std::string type;
        words >> hash >> word >> name >> type;
        if (hash == "#" && word == "TYPE") {
            names.insert(name);
            if (type == "histogram") {
                names.insert({name + "_bucket", name + "_sum", name + "_count"});
            }
        }
    }
    return names;
}

std::string textOf(const std::string& file)
{
    std::ifstream in(qEnvironmentVariable("VV_SOURCE_DIR").toStdString() + "/" + file);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// The names of metrics that a text is about.
std::set<std::string> namesAbout(const std::string& text)
{
    static const std::regex pattern(R"(\b(?:vivavoce|process)_[a-z_]+)");
    std::set<std::string> names;
    for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
        names.insert(it->str());
    }
    return names;
}

QStringList join(const std::set<std::string>& names)
{
    QStringList list;
    for (const std::string& name : names) {
        list.append(QString::fromStdString(name));
    }
    return list;
}

/// What is in the one and not in the other.
QStringList missing(const std::set<std::string>& wanted, const std::set<std::string>& there)
{
    std::set<std::string> rest;
    std::set_difference(wanted.begin(), wanted.end(), there.begin(), there.end(), std::inserter(rest, rest.end()));
    return join(rest);
}

/// Empty where promtool has nothing to say against it.
QByteArray objections(const QStringList& arguments, const std::string& input = {})
{
    QProcess promtool;
    promtool.setProcessChannelMode(QProcess::MergedChannels);
    promtool.start(QStringLiteral("promtool"), arguments);
    promtool.write(QByteArray::fromStdString(input));
    promtool.closeWriteChannel();
    const bool hasEnded = promtool.waitForFinished(20'000);
    const QByteArray said = promtool.readAll();
    return hasEnded && promtool.exitCode() == 0 ? QByteArray() : "promtool: " + said;
}

/// A broker with somebody who scrapes.
struct ScrapedWorld : OperatorWorld {
    explicit ScrapedWorld(const std::function<void(broker::Config&)>& change = {}) : OperatorWorld(change) {}

    std::string scrape() { return as(admin(), "GET", "/metrics").body; }
    BrokerWorld::Answer open(const std::string& url, const char* method = "GET")
    {
        net::ClientRequest request;
        request.method = method;
        request.url = url;
        return broker.send(std::move(request));
    }
};

void withListener(broker::Config& config)
{
    config.metricsAddress = "127.0.0.1";
}

} // namespace

class TestBrokerMetrics : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;

    net::test::TestCertificates m_certificates;

    void withTls(broker::Config& config)
    {
        m_certificates = net::test::makeCertificates(m_folder.path().toStdString());
        config.tlsCertificate = m_certificates.forLocalhost.certificateChain;
        config.tlsKey = m_certificates.forLocalhost.privateKey;
    }

private slots:
    void scrape_ByAnAdmin_IsPrometheusText()
    {
        ScrapedWorld world;
        const auto answer = world.as(world.admin(), "GET", "/metrics");
        QCOMPARE(answer.status, 200U);
        QCOMPARE(header(answer, "Content-Type"), std::string("text/plain; version=0.0.4; charset=utf-8"));
        QCOMPARE(header(answer, "Cache-Control"), std::string("no-store, max-age=0"));
        QCOMPARE(valueOf(answer.body, "vivavoce_build_info{version=\"0.1.0\"}"), std::optional<double>(1));
        const double started = valueOf(answer.body, "process_start_time_seconds").value_or(0);
        const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
        QVERIFY(started > now - 60 && started <= now);
#ifdef Q_OS_LINUX
        QVERIFY(valueOf(answer.body, "process_resident_memory_bytes").value_or(0) > 1e6);
#endif
    }

    void scrape_ByAnybodyElse_IsRefused()
    {
        ScrapedWorld world;
        const auto stranger = world.broker.send(world.broker.request("GET", "/metrics"));
        QCOMPARE(stranger.status, 401U);
        const auto user = world.as(world.user(), "GET", "/metrics");
        QCOMPARE(user.status, 403U);
        const auto service = world.as(world.serviceKey(), "GET", "/metrics");
        QCOMPARE(service.status, 403U);
        for (const auto& answer : {stranger, user, service}) {
            QVERIFY(answer.body.find("vivavoce_") == std::string::npos);
        }
    }

    void scrape_AfterTokens_CountsThem()
    {
        ScrapedWorld world;
        const auto first = tokenOf(world.as(world.user(), "POST", kMint, R"({"clientInstance":"one"})"));
        (void)world.as(world.user(), "POST", "/api/voice/session", "{}");
        (void)world.as(world.user(), "POST", "/api/voice/session", "{}");
        QCOMPARE(world.broker.send(world.broker.refreshRequest(first.token.reveal())).status, 200U);
        const std::string scrape = world.scrape();
        QCOMPARE(valueOf(scrape, "vivavoce_tokens_minted_total{transport=\"direct\"}"), std::optional<double>(1));
        QCOMPARE(valueOf(scrape, "vivavoce_tokens_minted_total{transport=\"relay\"}"), std::optional<double>(2));
        QCOMPARE(valueOf(scrape, "vivavoce_tokens_refreshed_total"), std::optional<double>(1));
        QCOMPARE(valueOf(scrape, "vivavoce_sessions_live"), std::optional<double>(3));
        QCOMPARE(valueOf(scrape, "vivavoce_sessions_max"), std::optional<double>(4096));
        // The mint and the refresh; the relay's tokens are ours.
        QCOMPARE(valueOf(scrape, "vivavoce_provider_requests_total{outcome=\"ok\"}"), std::optional<double>(2));
        QCOMPARE(valueOf(scrape, "vivavoce_provider_request_duration_seconds_count"), std::optional<double>(2));
        QCOMPARE(valueOf(scrape,
                     "vivavoce_http_requests_total{method=\"POST\",route=\"/api/voice/session\",status=\"200\"}"),
            std::optional<double>(2));
        QCOMPARE(valueOf(scrape, "vivavoce_http_request_duration_seconds_count{route=\"/api/voice/session\"}"),
            std::optional<double>(2));
        QVERIFY(valueOf(scrape, "vivavoce_audit_lines_total").value_or(0) >= 4);
        QVERIFY(valueOf(scrape, "vivavoce_connections").value_or(0) >= 1);
    }

    void scrape_AfterFailuresOfTheProvider_TellsOfThem()
    {
        ScrapedWorld world;
        world.broker.provider.answerWith(net::HttpResponse::json(401, R"({"error":{"message":"key-marker"}})"));
        (void)world.as(world.user(), "POST", kMint, "{}");
        world.broker.provider.answerWith(net::HttpResponse::json(500, "{}"));
        (void)world.as(world.user(), "POST", kMint, "{}");
        const std::string scrape = world.scrape();
        QCOMPARE(valueOf(scrape, "vivavoce_provider_requests_total{outcome=\"provider_refused\"}"),
            std::optional<double>(1));
        QCOMPARE(
            valueOf(scrape, "vivavoce_provider_requests_total{outcome=\"provider_failed\"}"), std::optional<double>(1));
        QCOMPARE(valueOf(scrape, "vivavoce_provider_requests_total{outcome=\"ok\"}"), std::optional<double>(0));
        QCOMPARE(valueOf(scrape, "vivavoce_provider_state{state=\"failing\"}"), std::optional<double>(1));
        QCOMPARE(valueOf(scrape, "vivavoce_provider_state{state=\"ok\"}"), std::optional<double>(0));
    }

    void scrape_AfterDenials_CountsThemByCode()
    {
        ScrapedWorld world([](broker::Config& config) { config.mintsPerMinute = 1; });
        (void)world.as("nonsense", "POST", kMint, "{}");
        (void)world.as(world.serviceKey(), "GET", "/api/admin/blocks");
        for (int i = 0; i < 6; ++i) {
            (void)world.as(world.user(), "POST", kMint, "{}");
        }
        const std::string scrape = world.scrape();
        QCOMPARE(valueOf(scrape, "vivavoce_denials_total{reason=\"invalid_token\"}"), std::optional<double>(1));
        QCOMPARE(valueOf(scrape, "vivavoce_denials_total{reason=\"insufficient_scope\"}"), std::optional<double>(1));
        const double limited = valueOf(scrape, "vivavoce_denials_total{reason=\"rate_limited\"}").value_or(0);
        const double blocked = valueOf(scrape, "vivavoce_denials_total{reason=\"blocked\"}").value_or(0);
        QVERIFY(limited >= 1 && blocked >= 1);
        QCOMPARE(limited + blocked, 5.0);
        QCOMPARE(valueOf(scrape, "vivavoce_blocks_total"), std::optional<double>(1));
    }

    void denials_OfAFloodedAddress_AreCounted()
    {
        ScrapedWorld world([](broker::Config& config) {
            withListener(config);
            config.strangersPerMinute = 1;
        });
        for (int i = 0; i < 3; ++i) {
            (void)world.as("nonsense", "POST", kMint, "{}");
        }
        const std::string scrape = world.open(world.broker.metricsUrl()).body;
        QCOMPARE(valueOf(scrape, "vivavoce_denials_total{reason=\"rate_limited\"}"), std::optional<double>(2));
    }

    void labels_NeverHoldWhatACallerSays()
    {
        ScrapedWorld world;
        const auto token =
            tokenOf(world.as(world.user("name-marker"), "POST", kMint, R"({"projectId":"project-marker"})"));
        (void)world.as(world.user("name-marker"), "DELETE", "/api/voice/session/" + token.sessionId);
        (void)world.broker.send(world.broker.request("GET", "/path-marker?query-marker"));
        (void)world.broker.send(world.broker.request("METHODMARKER", "/healthz"));
        (void)world.broker.send(world.broker.request("METHODMARKER", "/path-marker"));
        const std::string scrape = world.scrape();
        QVERIFY2(
            scrape.find("marker") == std::string::npos && scrape.find("MARKER") == std::string::npos, scrape.c_str());
        QVERIFY(scrape.find(token.sessionId) == std::string::npos);
        QVERIFY(scrape.find("127.0.0.1") == std::string::npos);
        QCOMPARE(valueOf(scrape, "vivavoce_http_requests_total{method=\"GET\",route=\"other\",status=\"404\"}"),
            std::optional<double>(1));
        QCOMPARE(valueOf(scrape, "vivavoce_http_requests_total{method=\"other\",route=\"other\",status=\"405\"}"),
            std::optional<double>(1));
        QCOMPARE(
            valueOf(scrape,
                "vivavoce_http_requests_total{method=\"DELETE\",route=\"/api/voice/session/{id}\",status=\"200\"}"),
            std::optional<double>(1));
    }

    void labels_AreOfFixedSets()
    {
        broker::Metrics metrics;
        for (int i = 0; i < 1'000; ++i) {
            metrics.denied("reason-" + std::to_string(i));
            metrics.answeredUnrouted("METHOD" + std::to_string(i), 404);
        }
        const std::string scrape = metrics.scrape({});
        QCOMPARE(valueOf(scrape, "vivavoce_denials_total{reason=\"other\"}"), std::optional<double>(1'000));
        QCOMPARE(valueOf(scrape, "vivavoce_http_requests_total{method=\"other\",route=\"other\",status=\"404\"}"),
            std::optional<double>(1'000));
        QVERIFY(std::count(scrape.begin(), scrape.end(), '\n') < 150);
    }

    void states_AreOneOfAll_data()
    {
        QTest::addColumn<QString>("series");
        QTest::addColumn<double>("whenFine");
        QTest::addColumn<double>("whenBad");
        QTest::newRow("limits") << "vivavoce_limits_store_state{state=\"failing\"}" << 0.0 << 1.0;
        QTest::newRow("limits are fine") << "vivavoce_limits_store_state{state=\"ok\"}" << 1.0 << 0.0;
        QTest::newRow("provider") << "vivavoce_provider_state{state=\"failing\"}" << 0.0 << 1.0;
        QTest::newRow("issuers") << "vivavoce_issuers_state{state=\"failing\"}" << 0.0 << 1.0;
        QTest::newRow("projects") << "vivavoce_projects_state{state=\"failing\"}" << 0.0 << 1.0;
        QTest::newRow("database") << "vivavoce_store_up" << 1.0 << 0.0;
        QTest::newRow("audit") << "vivavoce_audit_up" << 1.0 << 0.0;
        QTest::newRow("lines") << "vivavoce_audit_lines_total" << 7.0 << 0.0;
        QTest::newRow("failures") << "vivavoce_audit_failures_total" << 0.0 << 8.0;
        QTest::newRow("queue") << "vivavoce_audit_queue" << 0.0 << 9.0;
    }
    void states_AreOneOfAll()
    {
        QFETCH(QString, series);
        QFETCH(double, whenFine);
        QFETCH(double, whenBad);
        broker::Readings fine;
        fine.isStoreWorking = fine.isAuditWorking = true;
        fine.isProviderFine = fine.areIssuersFine = fine.areProjectsFine = true;
        fine.auditLines = 7;
        broker::Readings bad;
        bad.limits = broker::StoreHealth::Down;
        bad.isProviderFine = bad.areIssuersFine = bad.areProjectsFine = false;
        bad.auditFailures = 8;
        bad.auditQueue = 9;
        const broker::Metrics metrics;
        QCOMPARE(valueOf(metrics.scrape(fine), series.toStdString()), std::optional<double>(whenFine));
        QCOMPARE(valueOf(metrics.scrape(bad), series.toStdString()), std::optional<double>(whenBad));
    }

    void listenerOfItsOwn_ServesNothingElse()
    {
        ScrapedWorld world(&withListener);
        const std::string url = world.broker.metricsUrl();
        QVERIFY(url.ends_with("/metrics"));
        const auto answer = world.open(url);
        QCOMPARE(answer.status, 200U);
        QVERIFY(valueOf(answer.body, "vivavoce_store_up").has_value());
        QCOMPARE(header(answer, "X-Content-Type-Options"), std::string("nosniff"));
        const std::string base = url.substr(0, url.size() - std::string("/metrics").size());
        for (const char* path : {"/healthz", "/openapi.json", "/api/voice-agent/health", "/api/admin/blocks", "/"}) {
            QCOMPARE(world.open(base + path).status, 404U);
        }
        QCOMPARE(world.open(url, "POST").status, 405U);
    }

    void certificate_ThatIsLoaded_TellsItsEnd()
    {
        ScrapedWorld world([this](broker::Config& config) {
            withTls(config);
            withListener(config);
        });
        const auto scrape = world.open(world.broker.metricsUrl()).body;
        const double end = valueOf(scrape, "vivavoce_certificate_expiry_timestamp_seconds").value_or(0);
        const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
        QVERIFY2(end > now + 86'000 && end < now + 86'460, scrape.c_str());
        ScrapedWorld plain(&withListener);
        QVERIFY(!valueOf(plain.open(plain.broker.metricsUrl()).body, "vivavoce_certificate_expiry_timestamp_seconds"));
    }

    void changedConfiguration_KeepsCountsAndListener()
    {
        ScrapedWorld world(&withListener);
        const std::string url = world.broker.metricsUrl();
        (void)world.as(world.user(), "POST", kMint, "{}");
        QCOMPARE(valueOf(world.open(url).body, "vivavoce_provider_state{state=\"ok\"}"), std::optional<double>(1));
        const std::string said = world.broker.reload([](broker::Config& config) {
            config.metricsAddress = "127.0.0.2";
            config.sessionsPerUser = 4;
        });
        QCOMPARE(said, std::string());
        QVERIFY(
            world.broker.log.text().find(R"(config.restart_needed {"keys":"metrics.listen"})") != std::string::npos);
        const std::string scrape = world.open(url).body;
        QCOMPARE(valueOf(scrape, "vivavoce_tokens_minted_total{transport=\"direct\"}"), std::optional<double>(1));
        // Of the parts that answer now, not of those that did.
        QCOMPARE(valueOf(scrape, "vivavoce_provider_state{state=\"unknown\"}"), std::optional<double>(1));
    }

    void withoutAListener_NothingIsOpen()
    {
        ScrapedWorld world;
        QVERIFY(world.broker.metricsUrl().empty());
    }

    void scrapes_AreNotToldAtInfo()
    {
        ScrapedWorld world(&withListener);
        (void)world.scrape();
        (void)world.open(world.broker.metricsUrl());
        (void)world.broker.send(world.broker.request("GET", "/healthz"));
        (void)world.broker.send(world.broker.request("GET", "/metrics"));
        const auto timesTold = [&](broker::LogLevel atMost) {
            return QByteArray::fromStdString(world.broker.log.text(atMost)).count("\"path\":\"/metrics\"");
        };
        // The one that was refused, and no other.
        QCOMPARE(timesTold(broker::LogLevel::Info), 1);
        QCOMPARE(timesTold(broker::LogLevel::Debug), 2);
    }

    void alerts_AskForNothingThatIsNotThere()
    {
        ScrapedWorld world([this](broker::Config& config) {
            withTls(config);
            withListener(config);
        });
        // What has no series yet is not there: a request that is denied.
        auto denied = world.broker.request("POST", kMint, "{}");
        denied.trust.extraCaFile = m_certificates.caFile;
        QCOMPARE(world.broker.send(std::move(denied)).status, 401U);
        const std::string scrape = world.open(world.broker.metricsUrl()).body;
        const std::set<std::string> there = namesIn(scrape);
        QVERIFY(there.size() > 20);
        const std::set<std::string> asked = namesAbout(textOf("packaging/broker/alerts.yml"));
        QVERIFY(asked.size() > 10);
        QCOMPARE(missing(asked, there), QStringList());
        // The table that operators read has all of them, and nothing else.
        std::string page = textOf("docs/operations.md");
        page = page.substr(page.find("## Metrics and alerts"));
        page = page.substr(0, page.find("\n## ", 1));
        std::set<std::string> families = there;
        for (const std::string& name : there) {
            for (const char* part : {"_bucket", "_sum", "_count"}) {
                families.erase(name + part);
            }
        }
        QCOMPARE(missing(families, namesAbout(page)), QStringList());
        QCOMPARE(missing(namesAbout(page), there), QStringList());
    }

    void promtool_HasNoObjections()
    {
        if (!kCanStartProcesses || QStandardPaths::findExecutable(QStringLiteral("promtool")).isEmpty()) {
            QSKIP("promtool is not installed: rules and format were NOT checked by Prometheus' own tool");
        }
        const QString rules = qEnvironmentVariable("VV_SOURCE_DIR") + QStringLiteral("/packaging/broker/alerts.yml");
        QCOMPARE(objections({QStringLiteral("check"), QStringLiteral("rules"), rules}), QByteArray());
        ScrapedWorld world;
        (void)world.as(world.user(), "POST", kMint, "{}");
        (void)world.as("nonsense", "POST", kMint, "{}");
        QCOMPARE(objections({QStringLiteral("check"), QStringLiteral("metrics")}, world.scrape()), QByteArray());
        // It does look.
        QVERIFY(!objections({QStringLiteral("check"), QStringLiteral("metrics")}, "no metrics {").isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestBrokerMetrics)
#include "test_broker_metrics.moc"
