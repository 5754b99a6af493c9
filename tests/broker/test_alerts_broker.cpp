#include "broker/config_problems.h"
#include "broker/webhook_signature.h"
#include "tests/broker/alert_receiver.h"
#include "tests/broker/operator_world.h"

#include <QTest>

#include <fstream>
#include <map>
#include <set>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

constexpr const char* kMint = "/api/voice-agent/token";
constexpr const char* kAlerts = "/api/admin/alerts";
constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct AlertWorld {
    explicit AlertWorld(const std::function<void(broker::Config&)>& change = {})
        : world([this, change](broker::Config& config) {
              config.violationsToBlock = 1;
              config.mintsPerMinute = 1;
              config.alerts.settle = std::chrono::seconds(0);
              config.alerts.channels.push_back(channel("ops"));
              if (change) {
                  change(config);
              }
          })
    {
    }
    [[nodiscard]] broker::alerts::ChannelSettings channel(const std::string& name) const
    {
        broker::alerts::ChannelSettings channel;
        channel.name = name;
        channel.address = std::make_shared<const core::Secret>(receiver.url());
        channel.secret = broker::readWebhookSecret(kSecret);
        return channel;
    }
    [[nodiscard]] bool hears(const std::string& type)
    {
        return QTest::qWaitFor(
            [&] {
                for (std::size_t i = 0; i < receiver.count(); ++i) {
                    if (receiver.body(i).at("type") == type) {
                        return true;
                    }
                }
                return false;
            },
            10'000);
    }
    void block(const std::string& name)
    {
        for (int i = 0; i < 3; ++i) {
            static_cast<void>(world.as(world.user(name), "POST", kMint, "{}"));
        }
    }
    Json list(const std::string& query = {})
    {
        return Json::parse(world.as(world.admin(), "GET", kAlerts + query).body);
    }

    NetThreads threads;
    AlertReceiver receiver{threads};
    OperatorWorld world;
};

/// A configuration from a text and variables.
struct Loaded {
    Loaded(const std::string& text, const std::map<std::string, std::string>& variables = {})
    {
        const std::string path = folder.path().toStdString() + "/broker.toml";
        std::ofstream(path) << text;
        std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        broker::Overrides overrides;
        overrides.configFile = path;
        const broker::Environment environment = [&](const char* name) -> std::optional<std::string> {
            // Once: what is asked for is taken out.
            const bool isThere = asked.insert(name).second;
            const auto found = variables.find(name);
            return isThere && found != variables.end() ? std::optional(found->second) : std::nullopt;
        };
        config = broker::loadConfig(overrides, environment, problems);
    }
    [[nodiscard]] std::string fault() const { return problems.hasFault() ? problems.firstFault().detail : ""; }

    QTemporaryDir folder;
    std::set<std::string> asked;
    broker::Problems problems;
    broker::Config config;
};

} // namespace

/// A whole broker that tells its operators, and what its configuration says of that.
class TestAlertsBroker : public QObject {
    Q_OBJECT

private slots:
    void block_IsToldWithinSeconds_AndListedForAdmins()
    {
        AlertWorld world;
        world.block("u1");
        QVERIFY(world.hears("subject.block"));
        QVERIFY(QTest::qWaitFor([&] {
            const Json alerts = world.list().at("alerts");
            return alerts.size() == 1 && alerts[0].at("deliveries")[0].at("state") == "sent";
        }));
        const Json alert = world.list().at("alerts")[0];
        QCOMPARE(alert.at("type").get<std::string>(), std::string("subject.block"));
        QCOMPARE(alert.at("deliveries")[0].at("channel").get<std::string>(), std::string("ops"));
        QVERIFY(alert.at("data").at("user").get<std::string>().ends_with(":u1"));
        QCOMPARE(world.world.as(world.world.user("u2"), "GET", kAlerts).status, 403U);
        QCOMPARE(world.world.as(world.world.admin(), "GET", std::string(kAlerts) + "?limit=0").status, 400U);
        for (const char* const query : {"?befor=x", "?befor%65=x", "?before=a&before=b"}) {
            QCOMPARE(world.world.as(world.world.admin(), "GET", std::string(kAlerts) + query).status, 400U);
        }
        const Json page = world.list("?limit=1");
        QCOMPARE(
            world.list("?limit=1&before=" + page.at("before").get<std::string>()).at("alerts").size(), std::size_t{0});
        const std::string scrape = world.world.as(world.world.admin(), "GET", "/metrics").body;
        QVERIFY(scrape.find("vivavoce_alerts_total{kind=\"subject.block\"} 1") != std::string::npos);
    }

    void provider_ThatFails_IsTold_AndNobodyWaitsForIt()
    {
        AlertWorld world;
        world.world.broker.provider.answerWith(net::HttpResponse::json(503, "{}"));
        static_cast<void>(world.world.as(world.world.user("u1"), "POST", kMint, "{}"));
        QVERIFY(world.hears("provider.down"));
        world.world.broker.provider.answerWith(std::nullopt);
        static_cast<void>(world.world.as(world.world.user("u2"), "POST", kMint, "{}"));
        QVERIFY(world.hears("provider.up"));
    }

    void receiver_ThatIsAway_HoldsUpNobody()
    {
        AlertWorld world;
        world.receiver.goAway();
        world.block("u1");
        QVERIFY(
            QTest::qWaitFor([&] { return world.world.broker.log.text().find("alert.not_sent") != std::string::npos; }));
        QCOMPARE(world.world.as(world.world.user("u3"), "POST", kMint, "{}").status, 200U);
        // What the log has is written down in the next moment.
        const auto deliveryIs = [&](const char* reason, int status) {
            return QTest::qWaitFor([&] {
                const Json delivery = world.list().at("alerts")[0].at("deliveries")[0];
                return delivery.value("reason", "") == reason && delivery.value("status", 0) == status;
            });
        };
        QVERIFY(deliveryIs("channel.unreachable", 0));
        world.receiver.answerWith(302);
        world.receiver.comeBack();
        world.world.broker.clock.advance(core::Milliseconds(1'000));
        QVERIFY(QTest::qWaitFor(
            [&] { return world.world.broker.log.text().find("\"status\":302") != std::string::npos; }, 10'000));
        QVERIFY(deliveryIs("channel.answered", 302));
        world.receiver.answerWith(200);
        world.world.broker.clock.advance(core::Milliseconds(1'000));
        QVERIFY(world.hears("subject.block"));
        world.world.broker.drain();
    }

    void reload_ChangesWhoIsTold()
    {
        AlertWorld world([](broker::Config& config) { config.alerts.channels.clear(); });
        world.block("u1");
        QVERIFY(QTest::qWaitFor([&] { return world.list().at("alerts").size() == 1; }));
        QCOMPARE(world.world.broker.reload(
                     [&](broker::Config& config) { config.alerts.channels.push_back(world.channel("later")); }),
            std::string());
        QVERIFY(world.world.broker.log.text().find("alerts.channels") != std::string::npos);
        world.block("u2");
        QVERIFY(world.hears("subject.block"));
        QCOMPARE(world.receiver.count(), std::size_t{1});
        QVERIFY(world.receiver.body(0).at("data").at("user").get<std::string>().ends_with(":u2"));
    }

    void config_OfEachKind_IsRead_AndPrintsNoSecret()
    {
        const Loaded loaded(std::string("[alerts]\nbudget_thresholds = [90, 50]\nerror_percent = 0\n")
                + "[[alerts.channels]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"https://ops.example:8443/hook/marker?marker\"\n"
                + "events = [\"provider.down\"]\nsecret = \"" + kSecret + "\"\n"
                + "[[alerts.channels]]\nname = \"chat-1\"\nkind = \"slack\"\n"
                + "[[alerts.channels]]\nname = \"mail\"\nkind = \"smtp\"\nserver = \"mail.example:587\"\nuser = \"me\"\n"
                + "from = \"a@mail.example\"\nto = [\"b@mail.example\"]\n",
            {{"ALERTS_CHAT_1_URL", "https://hooks.example/marker"}, {"ALERTS_MAIL_PASSWORD", "password-marker"}});
        QCOMPARE(QString::fromStdString(loaded.fault()), QString());
        const auto& alerts = loaded.config.alerts;
        QCOMPARE(alerts.thresholds, (std::vector<int>{50, 90}));
        QCOMPARE(alerts.errorPercent, 0);
        QCOMPARE(alerts.channels.size(), std::size_t{3});
        QVERIFY(alerts.channels[0].wants(broker::alerts::AlertKind::ProviderDown));
        QVERIFY(!alerts.channels[0].wants(broker::alerts::AlertKind::Block));
        QVERIFY(alerts.channels[0].address->equals("https://ops.example:8443/hook/marker?marker"));
        QVERIFY(alerts.channels[1].address->equals("https://hooks.example/marker"));
        QVERIFY(alerts.channels[2].secret->equals("password-marker"));
        const std::string printed = broker::printConfig(loaded.config);
        QVERIFY2(printed.find("marker") == std::string::npos && printed.find("whsec_") == std::string::npos,
            printed.c_str());
        // Where it leads may be seen.
        QVERIFY(printed.find("# url of ops in alerts.channels is set: ops.example:8443\n") != std::string::npos);
        QVERIFY(printed.find("# url of chat-1 in alerts.channels is set: hooks.example\n") != std::string::npos);
        QVERIFY(loaded.asked.count("ALERTS_OPS_SECRET_FILE") == 1);
        const Loaded again(printed,
            {{"ALERTS_CHAT_1_URL", "https://hooks.example/marker"}, {"ALERTS_MAIL_PASSWORD", "password-marker"},
                {"ALERTS_OPS_SECRET", kSecret}, {"ALERTS_OPS_URL", "https://ops.example:8443/hook/marker?marker"}});
        QCOMPARE(again.fault(), std::string());
        QCOMPARE(broker::printConfig(again.config), printed);
        QVERIFY(again.config.alerts.channels[0].isSame(alerts.channels[0]));
    }

    void config_CredentialOfSystemd_IsASecretOfAChannel()
    {
        const QTemporaryDir credentials;
        const std::string folder = credentials.path().toStdString();
        std::ofstream(folder + "/alerts_chat_1_url") << "https://hooks.example/of-systemd";
        const Loaded loaded(
            "[[alerts.channels]]\nname = \"chat-1\"\nkind = \"slack\"\n", {{"CREDENTIALS_DIRECTORY", folder}});
        QCOMPARE(QString::fromStdString(loaded.fault()), QString());
        QVERIFY(loaded.config.alerts.channels.at(0).address->equals("https://hooks.example/of-systemd"));
    }

    void config_AddressOfAWebhook_ComesAsOtherSecretsDo()
    {
        const QTemporaryDir folder;
        const std::string file = folder.path().toStdString() + "/alerts_ops_url";
        std::ofstream(file) << "https://ops.example/of-a-file\n";
        std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        const std::string channel =
            std::string("[[alerts.channels]]\nname = \"ops\"\nkind = \"webhook\"\nsecret = \"") + kSecret + "\"\n";
        const auto addressOf = [](const Loaded& loaded) {
            const auto& address = loaded.config.alerts.channels.at(0).address;
            return loaded.fault() + (address == nullptr ? "" : std::string(address->reveal()));
        };
        const std::string expected = "https://ops.example/of-a-file";
        const std::string named = channel + "url_file = \"" + file + "\"\n";
        QCOMPARE(addressOf(Loaded(named)), expected);
        QCOMPARE(addressOf(Loaded(channel, {{"ALERTS_OPS_URL_FILE", file}})), expected);
        QCOMPARE(addressOf(Loaded(channel, {{"CREDENTIALS_DIRECTORY", folder.path().toStdString()}})), expected);
        // The environment counts more than the file.
        QCOMPARE(addressOf(Loaded(named, {{"ALERTS_OPS_URL", "https://ops.example/other"}})),
            std::string("https://ops.example/other"));
        QVERIFY(Loaded(named + "url = \"https://ops.example\"\n")
                    .fault()
                    .starts_with("alerts.channels[0].url_file and url cannot both be set"));
    }

    void config_WhatDoesNotDo_IsTold_data()
    {
        QTest::addColumn<QString>("lines");
        QTest::addColumn<QString>("problem");
        QTest::newRow("plain http")
            << "name = \"a\"\nkind = \"webhook\"\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\nurl = \"http://ops.example\"\n"
            << "alerts.channels[0].url has to be an https:// address";
        QTest::newRow("plain http in Slack's") << "name = \"a\"\nkind = \"slack\"\nurl = \"http://ops.example\"\n"
                                               << "alerts.channels[0].url has to be an https:// address";
        QTest::newRow("no secret") << "name = \"a\"\nkind = \"webhook\"\nurl = \"https://ops.example\"\n"
                                   << "alerts.channels[0].secret is needed (or ALERTS_A_SECRET)";
        QTest::newRow("nowhere to go to")
            << "name = \"a\"\nkind = \"webhook\"\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n"
            << "alerts.channels[0].url is needed (or ALERTS_A_URL)";
        QTest::newRow("mail's password at a webhook")
            << "name = \"a\"\nkind = \"slack\"\nurl = \"https://ops.example\"\npassword_file = \"x\"\n"
            << "alerts.channels[0].password_file is not for slack";
        QTest::newRow("a short secret")
            << "name = \"a\"\nkind = \"webhook\"\nurl = \"https://ops.example\"\nsecret = \"whsec_AAAA\"\n"
            << "alerts.channels[0].secret has to hold whsec_";
        QTest::newRow("kind") << "name = \"a\"\nkind = \"pager\"\n"
                              << "alerts.channels[0].kind has to be webhook, slack or smtp";
        QTest::newRow("name") << "name = \"A b\"\nkind = \"slack\"\nurl = \"https://ops.example\"\n"
                              << "alerts.channels[0].name has to be made of";
        QTest::newRow("event") << "name = \"a\"\nkind = \"slack\"\nurl = \"https://ops.example\"\nevents = [\"rain\"]\n"
                               << "alerts.channels[0].events has to be a list of budget.threshold";
        QTest::newRow("another kind's key")
            << "name = \"a\"\nkind = \"slack\"\nurl = \"https://ops.example\"\nto = []\n"
            << "alerts.channels[0].to is not for slack";
        QTest::newRow("mail in the open")
            << "name = \"a\"\nkind = \"smtp\"\nserver = \"mail.example:25\"\nsecurity = \"none\"\nfrom = \"a@b.example\"\nto = [\"c@b.example\"]\n"
            << "alerts.channels[0].security can be none on this computer only";
        QTest::newRow("mail to a list in one text")
            << "name = \"a\"\nkind = \"smtp\"\nserver = \"mail.example:25\"\nfrom = \"a@b.example\"\nto = [\"c@b.example,d@b.example\"]\n"
            << "alerts.channels[0].to has to be a list of mail addresses";
    }
    void config_WhatDoesNotDo_IsTold()
    {
        QFETCH(QString, lines);
        QFETCH(QString, problem);
        const Loaded loaded("[[alerts.channels]]\n" + lines.toStdString());
        QVERIFY2(loaded.fault().starts_with(problem.toStdString()), loaded.fault().c_str());
    }
};

QTEST_GUILESS_MAIN(TestAlertsBroker)
#include "test_alerts_broker.moc"
