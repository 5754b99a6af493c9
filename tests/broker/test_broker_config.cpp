#include "broker/config.h"
#include "broker/lasting_parts.h"
#include "broker/options.h"

#include <QTemporaryDir>
#include <QTest>

#include <cstdlib>
#include <fstream>
#include <map>

using namespace vivavoce;
using namespace vivavoce::broker;

namespace {

using Variables = std::map<std::string, std::string>;

core::Expected<Config, core::Error> load(
    const QByteArray& toml, const Variables& variables = {}, Overrides overrides = {})
{
    const QTemporaryDir folder;
    if (!toml.isEmpty()) {
        overrides.configFile = folder.filePath(QStringLiteral("broker.toml")).toStdString();
        std::ofstream(*overrides.configFile, std::ios::binary) << toml.toStdString();
    }
    return loadConfig(overrides, [&](const char* name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
}

constexpr const char* kWhole = "listen = \"[::1]:9000\"\n"
                               "trusted_proxies = [\"10.0.0.1\"]\n"
                               "[provider]\n"
                               "url = \"https://voice.example/v1\"\n"
                               "model = \"m\"\n"
                               "api_key = \"file-key-marker\"\n"
                               "timeout_ms = 2000\n"
                               "[tokens]\n"
                               "duration = 120\n"
                               "[limits]\n"
                               "mints_per_minute = 5\n"
                               "refreshes_per_minute = 6\n"
                               "others_per_minute = 8\n"
                               "max_sessions = 7\n"
                               "[log]\n"
                               "level = \"debug\"\n";

} // namespace

class TestBrokerConfig : public QObject {
    Q_OBJECT

private slots:
    void transcripts_AreWantedByAProject_AndByNobodyElse_data()
    {
        QTest::addColumn<QByteArray>("toml");
        QTest::addColumn<QByteArray>("key");
        QTest::newRow("everybody's") << QByteArray("[policy]\ntranscripts = true\n")
                                     << QByteArray("policy.transcripts");
        QTest::newRow("a user's") << QByteArray("[[policies]]\nuser = \"u1\"\ntranscripts = true\n")
                                  << QByteArray("policies[0].transcripts");
        QTest::newRow("a user's in a project")
            << QByteArray("[[policies]]\nproject = \"p\"\nuser = \"u1\"\ntranscripts = true\n")
            << QByteArray("policies[0].transcripts");
        QTest::newRow("not a boolean") << QByteArray("[[policies]]\nproject = \"p\"\ntranscripts = \"yes\"\n")
                                       << QByteArray("policies[0].transcripts");
        QTest::newRow("no days at all") << QByteArray("[policy]\ntranscript_days = 0\n")
                                        << QByteArray("policy.transcript_days");
        QTest::newRow("kept for ever") << QByteArray("[transcripts]\nkeep_days = 4000\n")
                                       << QByteArray("transcripts.keep_days");
        QTest::newRow("a project's") << QByteArray(
            "[policy]\ntranscript_days = 3\n[[policies]]\nproject = "
            "\"p\"\ntranscripts = true\n[[policies]]\nuser = \"u1\"\ntranscripts = "
            "false\n[transcripts]\nkeep_days = 90\n")
                                     << QByteArray();
    }
    void transcripts_AreWantedByAProject_AndByNobodyElse()
    {
        QFETCH(QByteArray, toml);
        QFETCH(QByteArray, key);
        const auto config = load(toml);
        if (!key.isEmpty()) {
            QVERIFY(!config.has_value());
            QVERIFY2(config.error().detail.find(key.toStdString()) != std::string::npos, config.error().detail.c_str());
            return;
        }
        QVERIFY(config.has_value());
        QVERIFY(config->policies.front().policy.areTranscriptsKept());
        QCOMPARE(config->transcriptsKept.count(), 90);
        // What is printed says the same.
        QVERIFY(load(QByteArray::fromStdString(printConfig(*config)))->policies == config->policies);
    }

    void load_NothingSaid_GivesTheDefaults()
    {
        const auto config = load({});
        QVERIFY(config.has_value());
        QCOMPARE(config->address, std::string("127.0.0.1"));
        QCOMPARE(config->providerUrl, std::string("https://api.openai.com"));
        QCOMPARE(config->providerName(), std::string("openai"));
        QCOMPARE(config->tokenLife.count(), std::chrono::seconds::rep(60));
        QCOMPARE(config->mintsPerMinute, std::size_t(10));
        QCOMPARE(config->refreshesPerMinute, std::size_t(60));
        QVERIFY(config->providerKey.empty() && !config->isEmbedded);
    }

    void load_BucketsOfTheirOwn_WinOverTheKeysForAll()
    {
        const QByteArray text =
            "[limits]\nmints_per_minute = 5\nviolations_to_block = 4\n[limits.mint]\nwindow = 3600\n"
            "max_requests = 7\n[limits.session]\nviolations_to_block = 0\n[limits.refresh]\n"
            "block_duration = 30\n";
        const auto config = load(text);
        QVERIFY2(config.has_value(), config ? "" : config.error().detail.c_str());
        const auto settings = gatekeeperSettings(*config);
        QCOMPARE(settings.mint.bucket.maxRequests, std::size_t(7));
        QCOMPARE(settings.mint.bucket.window, core::Milliseconds(3'600'000));
        QCOMPARE(settings.mint.bucket.penalty.violations, std::size_t(4));
        QCOMPARE(settings.session.bucket.maxRequests, std::size_t(5));
        QCOMPARE(settings.session.bucket.window, core::Milliseconds(60'000));
        QCOMPARE(settings.session.bucket.penalty.violations, std::size_t(0));
        QCOMPARE(settings.refresh.bucket.maxRequests, std::size_t(60));
        QCOMPARE(settings.refresh.bucket.penalty.firstBlock, core::Milliseconds(30'000));
        QCOMPARE(settings.mint.bucket.penalty.firstBlock, core::Milliseconds(900'000));
        // What is printed says the same.
        const auto again = load(QByteArray::fromStdString(printConfig(*config)));
        QVERIFY(again.has_value());
        QCOMPARE(printConfig(*again), printConfig(*config));
        QCOMPARE(gatekeeperSettings(*again).mint.bucket.window, core::Milliseconds(3'600'000));
        // The environment wins over both.
        const auto other = load(text, {{"VOICE_AGENT_RATE_LIMIT", "20"}});
        QVERIFY(other.has_value());
        QCOMPARE(gatekeeperSettings(*other).mint.bucket.maxRequests, std::size_t(20));
    }

    void load_Embedded_LetsOnePersonClickMoreOften()
    {
        Overrides overrides;
        overrides.isEmbedded = true;
        const auto config = loadConfig(overrides, [](const char*) { return std::nullopt; });
        QVERIFY(config.has_value());
        QVERIFY(config->mintsPerMinute >= 60);
        const auto limited = loadConfig(overrides, [](const char* name) {
            return std::string_view(name) == "VOICE_AGENT_RATE_LIMIT" ? std::optional<std::string>("5") : std::nullopt;
        });
        QVERIFY(limited.has_value());
        QCOMPARE(limited->mintsPerMinute, std::size_t(5));
    }

    void load_File_IsRead()
    {
        const auto config = load(kWhole);
        QVERIFY2(config.has_value(), config ? "" : config.error().detail.c_str());
        QCOMPARE(config->address, std::string("::1"));
        QCOMPARE(config->port, std::uint16_t(9000));
        QCOMPARE(config->trustedProxies, std::vector<std::string>{"10.0.0.1"});
        QCOMPARE(config->providerUrl, std::string("https://voice.example/v1"));
        QCOMPARE(config->providerModel, std::string("m"));
        QVERIFY(config->providerKey.equals("file-key-marker"));
        QVERIFY(config->providerTimeout == core::Milliseconds{2000});
        QCOMPARE(config->tokenLife.count(), std::chrono::seconds::rep(120));
        QCOMPARE(config->mintsPerMinute, std::size_t(5));
        QCOMPARE(config->refreshesPerMinute, std::size_t(6));
        QCOMPARE(config->maxSessions, std::size_t(7));
        QCOMPARE(config->othersPerMinute, std::size_t(8));
        QCOMPARE(config->logLevel, LogLevel::Debug);
    }

    void load_ClientForApps_IsForAccessTokens()
    {
        const std::string issuer =
            "[[issuers]]\nurl = \"https://login.example\"\naudiences = [\"a\"]\napp_client_id = \"app\"\n";
        const auto config = load(issuer.c_str());
        QVERIFY(config.has_value());
        QCOMPARE(config->issuers.at(0).appClientId, std::string("app"));
        // An app's ID token is for the app alone: it bears its access token.
        QVERIFY(!load((issuer + "tokens = \"id\"\n").c_str()));
    }

    void load_IssuerThatNamesAccessTokensInItsOwnWay_IsRead()
    {
        const std::string issuer = "[[issuers]]\nurl = \"https://login.example\"\naudiences = [\"a\"]\n";
        const auto config = load((issuer + "access_claim = \"/kind\"\naccess_value = \"api\"\n").c_str());
        QVERIFY2(config.has_value(), config ? "" : config.error().detail.c_str());
        QCOMPARE(config->issuers.at(0).accessPointer, std::string("/kind"));
        QCOMPARE(config->issuers.at(0).accessValue, std::string("api"));
        const std::string printed = printConfig(*config);
        QVERIFY(printed.find("access_claim") != std::string::npos && printed.find("access_value") != std::string::npos);
        QVERIFY(!load((issuer + "access_claim = \"/kind\"\n").c_str()));
        QVERIFY(!load((issuer + "access_claim = \"kind\"\naccess_value = \"api\"\n").c_str()));
    }

    void load_EnvironmentOverFile_Wins()
    {
        const auto config = load(kWhole,
            {{"OPENAI_API_KEY", "env-key"}, {"VOICE_AGENT_RATE_LIMIT", "20"}, {"VOICE_AGENT_TOKEN_DURATION", "300"}});
        QVERIFY(config.has_value());
        QVERIFY(config->providerKey.equals("env-key"));
        QCOMPARE(config->mintsPerMinute, std::size_t(20));
        QCOMPARE(config->tokenLife.count(), std::chrono::seconds::rep(300));
    }

    void load_EmptyVariable_SaysNothing()
    {
        const auto config = load(kWhole, {{"OPENAI_API_KEY", ""}, {"VOICE_AGENT_RATE_LIMIT", ""}});
        QVERIFY(config.has_value());
        QVERIFY(config->providerKey.equals("file-key-marker"));
        QCOMPARE(config->mintsPerMinute, std::size_t(5));
    }

    void load_CommandLineOverFile_Wins()
    {
        Overrides overrides;
        overrides.listen = "127.0.0.1:1";
        overrides.providerUrl = "http://127.0.0.1:2";
        overrides.logLevel = "error";
        overrides.isEmbedded = true;
        const auto config = load(kWhole, {}, overrides);
        QVERIFY(config.has_value());
        QCOMPARE(config->port, std::uint16_t(1));
        QCOMPARE(config->providerName(), std::string("local"));
        QCOMPARE(config->logLevel, LogLevel::Error);
        QVERIFY(config->isEmbedded);
    }

    void load_BadFile_IsRefusedByKey_data()
    {
        QTest::addColumn<QByteArray>("toml");
        QTest::addColumn<QByteArray>("named");
        const auto row = [](const char* name, const char* toml, const char* named) {
            QTest::newRow(name) << QByteArray(toml) << QByteArray(named);
        };
        row("not TOML", "listen = marker", "--config names a file that is not TOML: line 1");
        row("unknown key", "lisen = \"marker\"", "lisen");
        row("unknown table", "[tokns]\nduration = 1", "tokns.duration");
        row("unknown key in a table", "[tokens]\nlife = 1", "tokens.life");
        row("table too deep", "[tokens.duration]\nx = 1", "tokens.duration");
        row("key as a table", "[listen]\nx = 1", "listen.x");
        row("table as a text", "tokens = \"marker\"", "tokens");
        row("wild key", "\"a\\nb\" = 1", "a key");
        row("listen a number", "listen = 8790", "listen");
        row("listen without a port", "listen = \"127.0.0.1\"", "listen");
        row("listen, port too big", "listen = \"127.0.0.1:65536\"", "listen");
        row("listen, text behind the port", "listen = \"127.0.0.1:80x\"", "listen");
        row("listen, v6 without brackets", "listen = \"::1:80\"", "listen");
        row("duration a text", "[tokens]\nduration = \"60\"", "tokens.duration");
        row("duration a fraction", "[tokens]\nduration = 60.5", "tokens.duration");
        row("duration too short", "[tokens]\nduration = 9", "tokens.duration");
        row("duration too long", "[tokens]\nduration = 7201", "tokens.duration");
        row("rate zero", "[limits]\nmints_per_minute = 0", "limits.mints_per_minute");
        row("window zero", "[limits.mint]\nwindow = 0", "limits.mint.window");
        row("bucket without a table", "[limits]\nmint = 5", "limits.mint");
        row("bucket of nothing", "[limits.mint]\nwidth = 5", "limits.mint.width");
        row("rate negative", "[limits]\nrefreshes_per_minute = -1", "limits.refreshes_per_minute");
        row("no sessions", "[limits]\nmax_sessions = 0", "limits.max_sessions");
        row("timeout too long", "[provider]\ntimeout_ms = 25001", "provider.timeout_ms");
        row("model empty", "[provider]\nmodel = \"\"", "provider.model");
        row("key with a line", "[provider]\napi_key = \"marker\\nx\"", "provider.api_key");
        row("key a number", "[provider]\napi_key = 1", "provider.api_key");
        row("proxies a text", "trusted_proxies = \"10.0.0.1\"", "trusted_proxies");
        row("proxies by name", "trusted_proxies = [\"proxy.example\"]", "trusted_proxies");
        row("proxies of numbers", "trusted_proxies = [1]", "trusted_proxies");
        row("level unknown", "[log]\nlevel = \"loud\"", "log.level");
        row("certificate alone", "[tls]\ncertificate = \"a.pem\"", "tls.certificate");
        row("listen to all in the open", "listen = \"0.0.0.0:80\"", "listen outside loopback");
        row("all addresses, and none for clients", "listen = \"0.0.0.0:443\"\n[tls]\ncertificate = \"a\"\nkey = \"b\"",
            "public_url");
        row("all addresses of version 6", "listen = \"[::]:443\"\ntrusted_proxies = [\"10.0.0.1\"]", "public_url");
        row("an empty table that is none", "[limit]", "limit is not a key");
        row("provider at a port that is none", "[provider]\nurl = \"https://voice.example:99999\"", "provider.url");
        row("known by a port that is none", "public_url = \"https://voice.example:99999\"", "public_url");
        row("origin with the port that browsers leave out", "allowed_origins = [\"https://app.example:443\"]",
            "allowed_origins");
        row("metrics where the rest is", "listen = \"127.0.0.1:8790\"\n[metrics]\nlisten = \"127.0.0.1:8790\"",
            "metrics.listen");
        row("scopes that are none",
            "[[issuers]]\nurl = \"https://login.example\"\naudiences = [\"v\"]\nscopes = [\"voice:mnit\"]",
            "issuers[0].scopes");
        row("provider in the open", "[provider]\nurl = \"http://voice.example\"", "provider.url has to be https");
        row("provider disguised as loopback", "[provider]\nurl = \"http://127.0.0.1.example\"",
            "provider.url has to be https");
        row("provider with a user", "[provider]\nurl = \"https://marker@voice.example\"", "provider.url");
        row("provider with a query", "[provider]\nurl = \"https://voice.example?key=marker\"", "provider.url");
        row("provider of another scheme", "[provider]\nurl = \"ftp://voice.example\"", "provider.url");
        row("provider without a host", "[provider]\nurl = \"https:///v1\"", "provider.url");
    }
    void load_BadFile_IsRefusedByKey()
    {
        QFETCH(QByteArray, toml);
        QFETCH(QByteArray, named);
        const auto config = load(toml);
        QVERIFY(!config.has_value());
        QCOMPARE(core::exitCode(config.error().code), 2);
        const auto detail = QByteArray::fromStdString(config.error().detail);
        QVERIFY2(detail.startsWith(named), detail.constData());
        QVERIFY(!detail.contains("marker") && !detail.contains('\n'));
    }

    void load_BadEnvironment_IsRefusedByName_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("value");
        QTest::newRow("rate not a number") << QByteArray("VOICE_AGENT_RATE_LIMIT") << QByteArray("ten-marker");
        QTest::newRow("rate with a unit") << QByteArray("VOICE_AGENT_RATE_LIMIT") << QByteArray("10/min");
        QTest::newRow("rate zero") << QByteArray("VOICE_AGENT_RATE_LIMIT") << QByteArray("0");
        QTest::newRow("rate enormous") << QByteArray("VOICE_AGENT_RATE_LIMIT") << QByteArray("99999999999999999999");
        QTest::newRow("duration too short") << QByteArray("VOICE_AGENT_TOKEN_DURATION") << QByteArray("9");
        QTest::newRow("duration too long") << QByteArray("VOICE_AGENT_TOKEN_DURATION") << QByteArray("7201");
        QTest::newRow("duration with a space") << QByteArray("VOICE_AGENT_TOKEN_DURATION") << QByteArray(" 60");
        QTest::newRow("key of two words") << QByteArray("OPENAI_API_KEY") << QByteArray("marker two");
        QTest::newRow("key with a header in it") << QByteArray("OPENAI_API_KEY") << QByteArray("marker\r\nX: y");
    }
    void load_BadEnvironment_IsRefusedByName()
    {
        QFETCH(QByteArray, name);
        QFETCH(QByteArray, value);
        const auto config = load({}, {{name.toStdString(), value.toStdString()}});
        QVERIFY(!config.has_value());
        const auto detail = QByteArray::fromStdString(config.error().detail);
        QVERIFY2(detail.startsWith(name), detail.constData());
        QVERIFY(!detail.contains("marker"));
    }

    void load_OutsideLoopback_NeedsTlsOrAProxy()
    {
        const QByteArray name("public_url = \"https://voice.example\"\n");
        QVERIFY(load(name + "listen = \"0.0.0.0:80\"\ntrusted_proxies = [\"10.0.0.1\"]").has_value());
        QVERIFY(load(name + "listen = \"0.0.0.0:443\"\n[tls]\ncertificate = \"a\"\nkey = \"b\"").has_value());
    }

    void load_FileThatIsNotThere_IsRefused()
    {
        Overrides overrides;
        overrides.configFile = "/nonexistent/broker.toml";
        QCOMPARE(load({}, {}, overrides).error().code, core::ErrorCode::BadConfiguration);
    }

    void load_FolderInPlaceOfAFile_IsRefusedAsThat()
    {
        const QTemporaryDir folder;
        Overrides overrides;
        overrides.configFile = folder.path().toStdString();
        QCOMPARE(load({}, {}, overrides).error().detail, std::string("--config names a folder"));
    }

    void take_FromTheEnvironment_LeavesNothingBehind()
    {
        QVERIFY(setenv("VV_TEST_SECRET", "env-marker", 1) == 0);
        const char* const block = getenv("VV_TEST_SECRET");
        QCOMPARE(takeFromEnvironment("VV_TEST_SECRET"), std::optional<std::string>("env-marker"));
        QVERIFY(getenv("VV_TEST_SECRET") == nullptr);
        QCOMPARE(block[0], '\0');
        QVERIFY(!takeFromEnvironment("VV_TEST_SECRET").has_value());
    }

    void print_Config_IsTomlWithoutSecrets()
    {
        const auto config = load(kWhole);
        const std::string text = printConfig(*config);
        QVERIFY(text.find("marker") == std::string::npos);
        QVERIFY(text.find("provider.api_key is set") != std::string::npos);
        QVERIFY(printConfig(*load({})).find("provider.api_key is not set") != std::string::npos);
        const auto again = load(QByteArray::fromStdString(text));
        QVERIFY2(again.has_value(), again ? "" : (again.error().detail + text).c_str());
        QVERIFY(again->providerKey.empty());
        QCOMPARE(again->maxSessions, config->maxSessions);
        QCOMPARE(again->port, config->port);
    }

    void options_BadCommandLine_IsBadUsage_data()
    {
        QTest::addColumn<QByteArray>("argument");
        for (const char* argument :
            {"--nonsense", "positional", "--listen", "--credential-fd=-1", "--credential-fd=x"}) {
            QTest::newRow(argument) << QByteArray(argument);
        }
    }
    void options_BadCommandLine_IsBadUsage()
    {
        QFETCH(QByteArray, argument);
        const char* argv[] = {"vivavoce-broker", argument.constData()};
        const auto parsed = parseOptions(2, argv);
        QVERIFY(!parsed.has_value());
        QCOMPARE(parsed.error().code, core::ErrorCode::BadUsage);
    }

    void options_HelpAndVersion_ArePrinted()
    {
        for (const char* flag : {"--help", "--version"}) {
            const char* argv[] = {"vivavoce-broker", flag};
            const auto parsed = parseOptions(2, argv);
            QVERIFY(parsed.has_value() && std::holds_alternative<PrintAndLeave>(*parsed));
            QVERIFY(std::get<PrintAndLeave>(*parsed).text.find("vivavoce-broker") != std::string::npos);
        }
    }

    void metricsListen_IsPrivate_data()
    {
        QTest::addColumn<QByteArray>("address");
        QTest::addColumn<bool>("isGood");
        for (const char* address : {"127.0.0.1:9100", "127.9.9.9:9100", "[::1]:0", "10.1.2.3:9100", "172.16.0.1:9100",
                 "172.31.255.255:9100", "192.168.0.9:9100", "[fd00::7]:9100"}) {
            QTest::newRow(address) << QByteArray(address) << true;
        }
        for (const char* address : {"0.0.0.0:9100", "[::]:9100", "9.255.255.255:1", "11.0.0.1:9100", "172.15.0.1:9100",
                 "172.32.0.1:9100", "192.169.0.1:9100", "192.0.2.1:9100", "[2001:db8::1]:9100", "localhost:9100",
                 "127.0.0.1", ":9100", "::1:9100", "[fe00::1]:1"}) {
            QTest::newRow(address) << QByteArray(address) << false;
        }
    }
    void metricsListen_IsPrivate()
    {
        QFETCH(QByteArray, address);
        QFETCH(bool, isGood);
        const auto config = load("metrics = { listen = \"" + address + "\" }");
        QCOMPARE(config.has_value(), isGood);
        if (!isGood) {
            QVERIFY(config.error().detail.find("metrics.listen") != std::string::npos);
            return;
        }
        const auto again = load(QByteArray::fromStdString(printConfig(*config)));
        QVERIFY(again);
        QCOMPARE(again->metricsAddress, config->metricsAddress);
        QCOMPARE(again->metricsPort, config->metricsPort);
        // The API itself stays where it was.
        QCOMPARE(config->address, std::string("127.0.0.1"));
        QCOMPARE(config->port, std::uint16_t(8790));
    }
};

QTEST_GUILESS_MAIN(TestBrokerConfig)
#include "test_broker_config.moc"
