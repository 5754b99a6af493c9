#include "broker/alerts/alert_desk.h"
#include "broker/alerts/budget_alerts.h"
#include "broker/alerts/slack_channel.h"
#include "broker/store/connection.h"
#include "broker/tokens/session_account.h"
#include "broker/tokens/sql_session_registry.h"
#include "broker/webhook_signature.h"
#include "tests/broker/alert_receiver.h"
#include "tests/broker/limits_harness.h"
#include "tests/broker/postgres_server.h"

#include <QTemporaryDir>
#include <QTest>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <future>

using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::broker::alerts;
using core::Json;
using core::Milliseconds;
using tests::AlertReceiver;
using usage::Account;

namespace {

/// Standard Webhooks' own example.
constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::int64_t kDollar = 1'000'000'000;
constexpr std::chrono::seconds kSecond{1};

ChannelSettings webhook(const std::string& name, const std::string& url)
{
    ChannelSettings channel;
    channel.name = name;
    channel.address = std::make_shared<const core::Secret>(url);
    channel.secret = readWebhookSecret(kSecret);
    channel.timeout = Milliseconds(5'000);
    return channel;
}

AlertSettings settingsWith(std::vector<ChannelSettings> channels)
{
    AlertSettings settings;
    settings.settle = std::chrono::seconds(0);
    settings.channels = std::move(channels);
    return settings;
}

/// A broker, as far as alerts go. Several may share a database.
struct OneBroker {
    OneBroker(
        tests::NetThreads& netThreads, const core::Clock& ownClock, const std::string& url, AlertSettings settings)
        : threads(netThreads), clock(ownClock)
    {
        Database::Settings store;
        store.url = core::Secret(url);
        auto opened = Database::open(std::move(store), log);
        if (!opened) {
            qFatal("%s", opened.error().detail.c_str());
        }
        database = std::move(*opened);
        registry.emplace(SqlSessionRegistry::Limits{}, *database, clock);
        const usage::Ledger::OnSpent onSpent = [spending = spending](const Account& account, const std::string& which) {
            spending->note(account, which);
        };
        ledger.emplace(usage::Ledger::Settings{}, usage::Ledger::Dependencies{*database, clock, log, onSpent});
        book.emplace(*database, clock);
        desk.emplace(std::move(settings),
            AlertDesk::Dependencies{
                *book, *ledger, clock, log, metrics, &net::sendRequest, [] { return 1.0; }, spending, "here:8790"});
        desk->start(executor());
    }
    ~OneBroker() { stop(); }
    OneBroker(const OneBroker&) = delete;
    OneBroker& operator=(const OneBroker&) = delete;

    [[nodiscard]] net::IoExecutor executor() const { return threads.executors().front(); }
    std::future<void> beginTurn(Observed observed = {})
    {
        return boost::asio::co_spawn(executor(), desk->turn(std::move(observed)), boost::asio::use_future);
    }
    void turn(Observed observed = {}) { beginTurn(std::move(observed)).get(); }
    void turnWith(const std::string& provider, bool isFine)
    {
        Observed observed;
        observed.providers.emplace_back(provider, isFine);
        turn(std::move(observed));
    }
    void stop() { boost::asio::co_spawn(executor(), desk->stop(kSecond), boost::asio::use_future).get(); }
    void raise(const std::string& mark = "mark", const Json& data = {{"user", "2:1:i:u1"}})
    {
        desk->raise(AlertKind::Block, Severity::Warning, "A user is blocked", data, mark);
    }
    [[nodiscard]] std::vector<ListedAlert> listed() { return *tests::finish(threads, book->list({}, 200)); }
    /// What is due is told once what was under way has ended: turns come all the time.
    [[nodiscard]] bool turnUntil(const std::function<bool()>& isSo)
    {
        return QTest::qWaitFor(
            [&] {
                turn();
                return isSo();
            },
            20'000);
    }
    /// Of the one alert's deliveries that of the first channel, once it is so.
    [[nodiscard]] bool comesTo(const char* state, int attempts)
    {
        return turnUntil([&] {
            const auto all = listed();
            return all.size() == 1 && all[0].deliveries.at(0).state == state
                && all[0].deliveries[0].attempts == attempts;
        });
    }
    /// The failure of the one alert's one delivery is written down.
    [[nodiscard]] bool failsWith(const char* reason)
    {
        return turnUntil([&] {
            const auto all = listed();
            return all.at(0).deliveries.at(0).reason == reason
                && all[0].deliveries[0].at < clock.wallNow() + AlertBook::kLease;
        });
    }
    [[nodiscard]] bool isHeardBy(const AlertReceiver& receiver, std::size_t count)
    {
        return turnUntil([&] { return receiver.count() == count; });
    }

    [[nodiscard]] static Account account(const std::string& id, const Budgets& budgets)
    {
        SessionRecord record;
        record.id = id;
        record.caller = "2:1:i:alice";
        record.project = "choir";
        record.model = "gpt-realtime";
        record.transport = SessionTransport::Relay;
        return accountOf(record, "openai", budgets);
    }
    [[nodiscard]] bool open(const Account& account)
    {
        SessionRecord record;
        record.id = account.sessionId;
        record.caller = account.caller;
        record.project = account.project;
        record.model = account.model;
        auto opening = registry->open(std::move(record), hasher.hash(account.sessionId),
            clock.wallNow() + Milliseconds(60'000), {}, ledger->opening(account));
        return !tests::finish(threads, std::move(opening)).has_value();
    }
    void spend(const Account& account, std::string part, std::int64_t nanoDollars)
    {
        usage::Entry entry;
        entry.account = account;
        entry.part = std::move(part);
        entry.amounts[usage::Measure::NanoDollars] = nanoDollars;
        static_cast<void>(tests::finish(threads, ledger->record({entry})));
    }

    tests::NetThreads& threads;
    const core::Clock& clock;
    tests::CapturedLog log;
    Metrics metrics;
    TokenHasher hasher;
    std::shared_ptr<SpendingWatch> spending = std::make_shared<SpendingWatch>();
    std::unique_ptr<Database> database;
    std::optional<SqlSessionRegistry> registry;
    std::optional<usage::Ledger> ledger;
    std::optional<AlertBook> book;
    std::optional<AlertDesk> desk;
};

Budgets dollarsOfProject(std::int64_t dollars)
{
    Budgets budgets;
    budgets.projectMonth.nanoDollars = dollars * kDollar;
    return budgets;
}

std::vector<int> thresholdsOf(const std::vector<ListedAlert>& listed)
{
    std::vector<int> thresholds;
    for (const ListedAlert& one : listed) {
        thresholds.push_back(Json::parse(one.alert.data).at("threshold").get<int>());
    }
    return thresholds;
}

} // namespace

/// What operators are told, once and until they have heard it; on SQLite and on PostgreSQL.
class TestAlerts : public QObject {
    Q_OBJECT

    std::unique_ptr<tests::PostgresServer> m_server;
    QTemporaryDir m_folder;
    int m_files = 0;

    /// A database that nobody has used yet, which several brokers can open.
    [[nodiscard]] std::string url()
    {
        QFETCH_GLOBAL(bool, isShared);
        if (!isShared) {
            return "sqlite://" + m_folder.path().toStdString() + "/" + std::to_string(++m_files) + ".db";
        }
        tests::CapturedLog log;
        Database::Settings settings;
        settings.url = core::Secret(m_server->url());
        auto database = Database::open(std::move(settings), log);
        tests::NetThreads threads;
        const std::function<int(broker::Connection&)> work = [](broker::Connection& sql) {
            for (const char* table : {"alert_deliveries", "alerts", "alert_marks", "alert_states", "sessions",
                     "usage_sessions", "usage_holds", "usage_days"}) {
                sql << std::string("DELETE FROM ") + table;
            }
            return 0;
        };
        static_cast<void>(tests::finish(threads, (*database)->run<int>(work)));
        return m_server->url();
    }

private slots:
    void initTestCase_data()
    {
        QTest::addColumn<bool>("isShared");
        QTest::newRow("SQLite") << false;
        if (const QString missing = tests::PostgresServer::missing(); missing.isEmpty()) {
            QTest::newRow("PostgreSQL") << true;
        } else {
            qWarning("not tried on PostgreSQL: %s", qPrintable(missing));
        }
    }
    void initTestCase()
    {
        if (tests::PostgresServer::missing().isEmpty()) {
            m_server = std::make_unique<tests::PostgresServer>();
            QVERIFY(m_server->start());
        }
    }

    void webhook_GetsAnAlertOnce_Signed()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertReceiver receiver(threads);
        OneBroker broker(threads, clock, url(), settingsWith({webhook("ops", receiver.url())}));
        broker.raise();
        broker.raise();
        broker.turn();
        QVERIFY(broker.comesTo("sent", 1));
        broker.raise();
        broker.turn();
        broker.turn();
        QCOMPARE(broker.listed().size(), std::size_t{1});
        QCOMPARE(receiver.count(), std::size_t{1});
        const net::HttpRequest request = receiver.requests().front();
        const auto field = [&](const char* name) { return std::string(request.headers.find(name).value_or("")); };
        QCOMPARE(field("Content-Type"), std::string("application/json"));
        QCOMPARE(field("webhook-timestamp"), std::string("1800000000"));
        const auto secret = readWebhookSecret(kSecret);
        QCOMPARE(field("webhook-signature"),
            webhookSignature(*secret, field("webhook-id"), field("webhook-timestamp"), request.body));
        const Json body = receiver.body(0);
        QCOMPARE(body.at("id").get<std::string>(), field("webhook-id"));
        QCOMPARE(body.at("type").get<std::string>(), std::string("subject.block"));
        QCOMPARE(body.at("severity").get<std::string>(), std::string("warning"));
        QCOMPARE(body.at("broker").get<std::string>(), std::string("here:8790"));
        QCOMPARE(body.at("data").at("user").get<std::string>(), std::string("2:1:i:u1"));
        QVERIFY(broker.log.text().find("whsec_") == std::string::npos);
        QVERIFY(broker.metrics.scrape({}).find("vivavoce_alert_attempts_total{channel=\"webhook\",outcome=\"sent\"} 1")
            != std::string::npos);
    }

    void delivery_AfterAFault_IsTriedAgainLater_WithTheSameId()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertReceiver receiver(threads);
        receiver.answerWith(500);
        OneBroker broker(threads, clock, url(), settingsWith({webhook("ops", receiver.url())}));
        broker.raise();
        broker.turn();
        QVERIFY(broker.comesTo("waiting", 1));
        QVERIFY(broker.failsWith("channel.answered 500"));
        QVERIFY(broker.log.text().find("alert.not_sent") != std::string::npos);
        broker.stop();
        QCOMPARE(receiver.count(), std::size_t{1});
        receiver.answerWith(204);
        OneBroker next(threads, clock, broker.database->kind() == Database::Kind::Sqlite ? lastFile() : m_server->url(),
            settingsWith({webhook("ops", receiver.url())}));
        clock.advance(kSecond);
        next.turn();
        QVERIFY(next.comesTo("sent", 2));
        QVERIFY(receiver.body(0).at("id") == receiver.body(1).at("id"));
    }

    void delivery_ToWhoIsAway_ComesWhenTheyAreBack()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertReceiver receiver(threads);
        receiver.goAway();
        OneBroker broker(threads, clock, url(), settingsWith({webhook("ops", receiver.url())}));
        broker.raise();
        for (int attempt = 1; attempt <= 3; ++attempt) {
            broker.turn();
            QVERIFY(broker.comesTo("waiting", attempt));
            QVERIFY(broker.failsWith("channel.unreachable"));
            clock.advance(Milliseconds(8'000));
        }
        receiver.comeBack();
        broker.turn();
        QVERIFY(broker.comesTo("sent", 4));
        QCOMPARE(receiver.count(), std::size_t{1});
    }

    void delivery_ForADayInVain_IsGivenUp()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertReceiver receiver(threads);
        receiver.answerWith(404);
        OneBroker broker(threads, clock, url(), settingsWith({webhook("ops", receiver.url())}));
        broker.raise();
        broker.turn();
        QVERIFY(broker.comesTo("waiting", 1));
        QVERIFY(broker.failsWith("channel.answered 404"));
        clock.advance(std::chrono::hours(24));
        broker.turn();
        QVERIFY(broker.comesTo("given_up", 2));
        clock.advance(std::chrono::hours(24));
        broker.turn();
        broker.turn();
        QCOMPARE(receiver.count(), std::size_t{2});
    }

    void delivery_OfABrokerThatIsGone_IsAnothersAfterItsLease()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertReceiver receiver(threads);
        const std::string shared = url();
        OneBroker gone(threads, clock, shared, settingsWith({}));
        OneBroker broker(threads, clock, shared, settingsWith({webhook("ops", receiver.url())}));
        gone.desk->reconfigure(settingsWith({webhook("ops", receiver.url())}));
        broker.raise();
        std::vector<Draft> drafts(1);
        drafts[0].marks = {"one"};
        drafts[0].channels = {"ops"};
        QVERIFY(tests::finish(threads, gone.book->add(drafts)).has_value());
        // Taken, and never heard of again.
        const auto errand = tests::finish(threads, gone.book->take("ops"));
        QVERIFY(errand && errand->has_value());
        const auto other = tests::finish(threads, broker.book->take("ops"));
        QVERIFY(other && !other->has_value());
        clock.advance(AlertBook::kLease);
        const auto again = tests::finish(threads, broker.book->take("ops"));
        QVERIFY(again && again->has_value() && (*again)->attempts == 2);
    }

    void result_ThatComesLate_LeavesWhatAnotherBrokerHasTaken()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        const std::string shared = url();
        OneBroker slow(threads, clock, shared, settingsWith({}));
        OneBroker broker(threads, clock, shared, settingsWith({}));
        std::vector<Draft> drafts(1);
        drafts[0].marks = {"one"};
        drafts[0].channels = {"ops"};
        QVERIFY(tests::finish(threads, slow.book->add(drafts)).has_value());
        const auto first = tests::finish(threads, slow.book->take("ops"));
        QVERIFY(first && first->has_value());
        // The longest attempt, and what goes with it, is within the lease.
        clock.advance(ChannelSettings::kLongestTimeout + Milliseconds(1'000) + 2 * Database::Settings().deadline);
        QVERIFY(!tests::finish(threads, broker.book->take("ops"))->has_value());
        clock.advance(AlertBook::kLease);
        const auto second = tests::finish(threads, broker.book->take("ops"));
        QVERIFY(second && second->has_value());
        const std::string id = (*second)->alert.id;
        const auto settle = [&](OneBroker& by, int attempts, AlertBook::Outcome outcome) {
            return *tests::finish(threads, by.book->settle(id, "ops", attempts, std::move(outcome)));
        };
        QVERIFY(!settle(slow, 1, {false, "timeout", {}}));
        QCOMPARE(broker.listed()[0].deliveries[0].state, std::string("waiting"));
        QVERIFY(settle(broker, 2, {true, {}, {}}));
        QVERIFY(!settle(slow, 1, {false, "timeout", clock.wallNow()}));
        QVERIFY(!settle(slow, 2, {false, "timeout", clock.wallNow()}));
        QCOMPARE(broker.listed()[0].deliveries[0].state, std::string("sent"));
        QCOMPARE(broker.listed()[0].deliveries[0].reason, std::string());
    }

    void channel_ThatFails_HasItsOwnReasons_WithItsStatus_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<int>("bytes");
        QTest::addColumn<QByteArray>("reason");
        QTest::newRow("moved") << 302 << 2 << QByteArray("channel.answered 302");
        QTest::newRow("a fault with many words") << 500 << 1'000'000 << QByteArray("channel.answered 500");
        QTest::newRow("gone") << 410 << 0 << QByteArray("channel.answered 410");
    }
    void channel_ThatFails_HasItsOwnReasons_WithItsStatus()
    {
        QFETCH(int, status);
        QFETCH(int, bytes);
        QFETCH(QByteArray, reason);
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertReceiver receiver(threads);
        receiver.answerWith(static_cast<unsigned>(status), std::string(static_cast<std::size_t>(bytes), 'x'));
        OneBroker broker(threads, clock, url(), settingsWith({webhook("ops", receiver.url() + "?token=marker")}));
        broker.raise();
        broker.turn();
        QVERIFY(broker.failsWith(reason.constData()));
        const std::string log = broker.log.text();
        QVERIFY2(log.find("\"code\":\"channel.answered\"") != std::string::npos, log.c_str());
        QVERIFY2(log.find("\"status\":" + std::to_string(status)) != std::string::npos, log.c_str());
        QVERIFY(log.find("marker") == std::string::npos && log.find("provider.") == std::string::npos);
    }

    void channel_ThatTakesItWithManyWords_HasTakenIt()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertReceiver receiver(threads);
        receiver.answerWith(200, std::string(1'000'000, 'x'));
        OneBroker broker(threads, clock, url(), settingsWith({webhook("ops", receiver.url())}));
        broker.raise();
        QVERIFY(broker.comesTo("sent", 1));
    }

    void channel_ThatIsSilent_HasTakenTooLong()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        const tests::RawProvider silent(threads, {});
        ChannelSettings channel = webhook("ops", silent.url());
        channel.timeout = Milliseconds(200);
        OneBroker broker(threads, clock, url(), settingsWith({channel}));
        broker.raise();
        QVERIFY(broker.failsWith("channel.timeout"));
    }

    void channelFault_OfAnError_IsWrittenAndRead_data()
    {
        QTest::addColumn<int>("code");
        QTest::addColumn<QByteArray>("foreign");
        QTest::addColumn<QByteArray>("text");
        const auto row = [](core::ErrorCode code, const char* foreign, const char* text) {
            QTest::newRow((std::string(text) + foreign).c_str())
                << static_cast<int>(code) << QByteArray(foreign) << QByteArray(text);
        };
        row(core::ErrorCode::ProviderFailed, "550", "channel.answered 550");
        row(core::ErrorCode::ProviderUnreachable, "", "channel.unreachable");
        row(core::ErrorCode::Timeout, "", "channel.timeout");
        row(core::ErrorCode::ProviderMalformed, "", "channel.malformed");
        row(core::ErrorCode::NotAuthorised, "", "channel.login_refused");
        row(core::ErrorCode::BadConfiguration, "some words", "channel.failed");
    }
    void channelFault_OfAnError_IsWrittenAndRead()
    {
        QFETCH(int, code);
        QFETCH(QByteArray, foreign);
        QFETCH(QByteArray, text);
        const core::Error error{static_cast<core::ErrorCode>(code), {}, std::nullopt, foreign.toStdString()};
        const ChannelFault fault = channelFaultOf(error);
        QCOMPARE(writeChannelFault(fault), text.toStdString());
        const ChannelFault read = readChannelFault(text.toStdString());
        QCOMPARE(read.reason, fault.reason);
        QCOMPARE(read.status, fault.status);
    }

    void slack_WhatAnAlertSays_IsNoMentionLinkOrImage_AndCanBeCopied()
    {
        const std::string joiner = "\u2060";
        const auto blockOf = [](const Alert& alert) { return slackMessage(alert).at("blocks").at(0).at("text"); };
        const auto told = [&](const std::string& value) {
            Alert alert;
            alert.data = core::writeJson(Json{{"user", value}});
            const auto text = blockOf(alert).at("text").get<std::string>();
            return text.substr(text.find("user: ") + 6);
        };
        // Slack shows these as they are, without a look at what they might mean.
        QCOMPARE(blockOf(Alert()).at("type").get<std::string>(), std::string("plain_text"));
        for (const char* const text : {"@channel", "![x](https://evil.example)", "*a* _b_ `c` ~d~", "user_day"}) {
            QCOMPARE(told(text), std::string(text));
        }
        // Two hundred bytes would end within a letter.
        QCOMPARE(told(std::string(199, 'a') + "\u00e4b"), std::string(199, 'a'));
        QCOMPARE(told(std::string(198, 'a') + "\u00e4b"), std::string(198, 'a') + "\u00e4");
        // Others have the title alone, and take it for Markdown.
        const auto titled = [](const std::string& title) {
            Alert alert;
            alert.title = title;
            return slackMessage(alert).at("text").get<std::string>();
        };
        QCOMPARE(titled("of @channel and @here"), "of @" + joiner + "channel and @" + joiner + "here");
        QCOMPARE(titled("![x](https://evil.example)"), "![x]" + joiner + "(https:" + joiner + "//evil.example)");
        for (const char* const text : {"user linus@mail.example: 80 %", "user_day of auth0|1_a", "a:/b"}) {
            QCOMPARE(titled(text), std::string(text));
        }
    }

    void lines_ForPeople_HaveMoneyAndTimes()
    {
        const auto linesOfData = [](const Json& data) {
            Alert alert;
            alert.data = core::writeJson(data);
            std::string text;
            for (const auto& [name, value] : linesOf(alert)) {
                text += name + ": " + value + "\n";
            }
            return text;
        };
        QCOMPARE(linesOfData({{"unit", "nanoDollars"}, {"limit", 1'200'000'000}, {"spent", 605'000'000},
                     {"threshold", 50}, {"user", "2:1:i:linus"}}),
            std::string("limit: $1.20\nspent: $0.61\nthreshold: 50 %\nuser: 2:1:i:linus\n"));
        QCOMPARE(linesOfData({{"unit", "milliseconds"}, {"limit", 3'600'000}, {"spent", 119'999}}),
            std::string("limit: 60 min\nspent: 1 min\n"));
        // What is no budget's is nobody's money.
        QCOMPARE(linesOfData({{"unit", "bytes"}, {"limit", 5}}), std::string("limit: 5\nunit: bytes\n"));
    }

    void slack_GetsItsOwnFormat_AndItsAddressIsNowhere()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertReceiver receiver(threads);
        ChannelSettings slack;
        slack.name = "chat";
        slack.kind = ChannelSettings::Kind::Slack;
        slack.address = std::make_shared<const core::Secret>(receiver.url() + "?token=marker");
        OneBroker broker(threads, clock, url(), settingsWith({slack}));
        receiver.answerWith(500);
        broker.raise("one", {{"user", "<!channel> *loud* <https://evil.example|here> &"}});
        broker.turn();
        QVERIFY(broker.comesTo("waiting", 1));
        QVERIFY(broker.failsWith("channel.answered 500"));
        receiver.answerWith(200);
        clock.advance(kSecond);
        broker.turn();
        QVERIFY(broker.comesTo("sent", 2));
        const Json body = receiver.body(1);
        QCOMPARE(body.at("text").get<std::string>(), std::string("A user is blocked"));
        const auto text = body.at("blocks").at(0).at("text").at("text").get<std::string>();
        QCOMPARE(body.at("blocks").at(0).at("text").at("type").get<std::string>(), std::string("plain_text"));
        QVERIFY2(text.find("&lt;!channel&gt; *loud*") != std::string::npos, text.c_str());
        QVERIFY2(text.find("<") == std::string::npos && text.find("user: ") != std::string::npos, text.c_str());
        QVERIFY(broker.log.text().find("marker") == std::string::npos);
        QVERIFY(broker.log.text().find("127.0.0.1") == std::string::npos);
    }

    void channel_HearsOfItsEventsAlone()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertReceiver receiver(threads);
        ChannelSettings channel = webhook("ops", receiver.url());
        channel.kinds = {AlertKind::ProviderDown};
        OneBroker broker(threads, clock, url(), settingsWith({channel}));
        broker.raise();
        broker.turnWith("openai", true);
        broker.turnWith("openai", false);
        QVERIFY(broker.isHeardBy(receiver, 1));
        QCOMPARE(receiver.body(0).at("type").get<std::string>(), std::string("provider.down"));
        QCOMPARE(broker.listed().size(), std::size_t{2});
    }

    void provider_DownAndUp_IsToldOnceByTwoBrokers_OnceItHasLasted()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertReceiver receiver(threads);
        AlertSettings settings = settingsWith({webhook("ops", receiver.url())});
        settings.settle = std::chrono::seconds(30);
        const std::string shared = url();
        OneBroker one(threads, clock, shared, settings);
        OneBroker other(threads, clock, shared, settings);
        const auto both = [&](bool isFine) {
            Observed observed;
            observed.providers.emplace_back("openai", isFine);
            auto first = one.beginTurn(observed);
            auto second = other.beginTurn(observed);
            first.get();
            second.get();
        };
        both(true);
        both(false);
        clock.advance(kSecond * 29);
        both(false);
        QCOMPARE(one.listed().size(), std::size_t{0});
        clock.advance(kSecond);
        both(false);
        both(false);
        QVERIFY(one.comesTo("sent", 1));
        QCOMPARE(one.listed()[0].alert.kind, AlertKind::ProviderDown);
        // A moment is no recovery.
        both(true);
        both(false);
        clock.advance(kSecond * 30);
        both(false);
        QCOMPARE(one.listed().size(), std::size_t{1});
        both(true);
        clock.advance(kSecond * 30);
        both(true);
        QVERIFY(one.isHeardBy(receiver, 2));
        QCOMPARE(receiver.body(1).at("type").get<std::string>(), std::string("provider.up"));
        QCOMPARE(one.listed().size(), std::size_t{2});
    }

    void broker_ThatStartsInAnOutage_SaysNothingOfItsEnd_BeforeThatHasLasted()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertSettings settings = settingsWith({});
        settings.settle = std::chrono::seconds(30);
        const std::string shared = url();
        OneBroker one(threads, clock, shared, settings);
        one.turnWith("openai", false);
        clock.advance(kSecond * 30);
        one.turnWith("openai", false);
        QCOMPARE(one.listed().size(), std::size_t{1});
        OneBroker other(threads, clock, shared, settings);
        other.turnWith("openai", true);
        clock.advance(kSecond * 29);
        other.turnWith("openai", true);
        QCOMPARE(other.listed().size(), std::size_t{1});
        clock.advance(kSecond);
        other.turnWith("openai", true);
        QCOMPARE(other.listed().size(), std::size_t{2});
        QCOMPARE(other.listed()[0].alert.kind, AlertKind::ProviderUp);
    }

    void audit_ThatFails_IsTold_AndThatItIsWrittenAgain()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        OneBroker broker(threads, clock, url(), settingsWith({}));
        Observed observed;
        broker.turn(observed);
        observed.isAuditWorking = false;
        broker.turn(observed);
        observed.isAuditWorking = true;
        clock.advance(kSecond);
        broker.turn(observed);
        const auto all = broker.listed();
        QCOMPARE(all.size(), std::size_t{2});
        QCOMPARE(all[0].alert.kind, AlertKind::AuditRecovered);
        QCOMPARE(all[1].alert.kind, AlertKind::AuditFailing);
    }

    void errors_BeyondTheShare_AreTold_AndTheirEnd()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        OneBroker broker(threads, clock, url(), settingsWith({}));
        Observed observed;
        const auto see = [&](std::int64_t answers, std::int64_t failures) {
            observed.answers = answers;
            observed.failures = failures;
            clock.advance(kSecond);
            broker.turn(observed);
        };
        see(1'000, 100);
        // One in ten of ten is no share.
        see(1'010, 101);
        QCOMPARE(broker.listed().size(), std::size_t{0});
        see(1'100, 104);
        QCOMPARE(broker.listed().size(), std::size_t{0});
        see(1'120, 106);
        QCOMPARE(broker.listed().size(), std::size_t{1});
        QCOMPARE(broker.listed()[0].alert.kind, AlertKind::ErrorsHigh);
        clock.advance(std::chrono::minutes(5));
        see(1'500, 106);
        see(1'600, 106);
        QCOMPARE(broker.listed()[0].alert.kind, AlertKind::ErrorsNormal);
        QCOMPARE(broker.listed().size(), std::size_t{2});
    }

    void budget_EachThreshold_IsToldOnce_AlsoByTwoBrokersAndAfterARestart()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        const std::string shared = url();
        const Account account = OneBroker::account("s1", dollarsOfProject(10));
        {
            OneBroker one(threads, clock, shared, settingsWith({}));
            OneBroker other(threads, clock, shared, settingsWith({}));
            const auto both = [&](const char* part, std::int64_t nanoDollars) {
                clock.advance(kSecond);
                one.spend(account, part, nanoDollars);
                // As if a session of its had spent as well.
                other.spending->note(account, {});
                auto first = one.beginTurn();
                auto second = other.beginTurn();
                first.get();
                second.get();
            };
            QVERIFY(one.open(account));
            both("a", 4 * kDollar);
            QCOMPARE(one.listed().size(), std::size_t{0});
            both("b", kDollar);
            both("c", kDollar / 10);
            QCOMPARE(thresholdsOf(one.listed()), std::vector<int>{50});
            // Both at once: the higher one is told.
            both("d", 5 * kDollar);
            QCOMPARE(thresholdsOf(one.listed()), (std::vector<int>{100, 50}));
        }
        OneBroker again(threads, clock, shared, settingsWith({}));
        again.spend(account, "e", 1);
        again.turn();
        QCOMPARE(again.listed().size(), std::size_t{2});
        // Of another month it is another budget.
        clock.advance(std::chrono::hours(24 * 31));
        again.spend(account, "f", 9 * kDollar);
        again.turn();
        QCOMPARE(thresholdsOf(again.listed()), (std::vector<int>{80, 100, 50}));
        const Json data = Json::parse(again.listed()[0].alert.data);
        QCOMPARE(data.at("project").get<std::string>(), std::string("choir"));
        QCOMPARE(data.at("period").get<std::string>(), std::string("project_month"));
        QCOMPARE(data.at("from").get<std::string>(), std::string("2027-02-01"));
        QCOMPARE(data.at("spent").get<std::int64_t>(), 9 * kDollar);
        QCOMPARE(
            again.listed()[0].alert.title, std::string("Budget of project choir: 80 % used ($9.00 of $10.00 a month)"));
    }

    void budget_ThatWasTold_IsKnownForItsMonth_AlsoWhereLessIsKept()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertSettings settings = settingsWith({});
        settings.kept = std::chrono::days(1);
        OneBroker broker(threads, clock, url(), settings);
        const Account account = OneBroker::account("s1", dollarsOfProject(10));
        QVERIFY(broker.open(account));
        broker.spend(account, "a", 6 * kDollar);
        broker.turn();
        QCOMPARE(thresholdsOf(broker.listed()), std::vector<int>{50});
        clock.advance(std::chrono::hours(24 * 10));
        broker.turn();
        QVERIFY(QTest::qWaitFor([&] { return broker.listed().empty(); }));
        broker.spend(account, "b", kDollar / 10);
        broker.turn();
        QCOMPARE(broker.listed().size(), std::size_t{0});
    }

    void spenders_OfWhomFewAreTaken_HaveTheirTurnEach()
    {
        SpendingWatch watch;
        const auto note = [&](const char* project) {
            Account account;
            account.project = project;
            watch.note(account, {});
        };
        const auto next = [&] {
            const auto taken = watch.take(1);
            return taken.empty() ? std::string() : taken[0].account.project;
        };
        for (const char* const wanted : {"a", "b", "c", "a"}) {
            // They spend all the time.
            note("a");
            note("b");
            note("c");
            QCOMPARE(next(), std::string(wanted));
        }
        QCOMPARE(watch.take(10).size(), std::size_t{2});
        QCOMPARE(next(), std::string());
    }

    void budget_ThatIsLarger_IsToldAnew()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        OneBroker broker(threads, clock, url(), settingsWith({}));
        const Account account = OneBroker::account("s1", dollarsOfProject(10));
        QVERIFY(broker.open(account));
        broker.spend(account, "a", 10 * kDollar);
        broker.turn();
        clock.advance(kSecond);
        Account larger = account;
        larger.budgets = dollarsOfProject(20);
        broker.spend(larger, "b", 1);
        broker.turn();
        QCOMPARE(thresholdsOf(broker.listed()), (std::vector<int>{50, 100}));
    }

    void budget_ThatRefusesSomebody_IsUsedUp_WhateverIsLeft()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        OneBroker broker(threads, clock, url(), settingsWith({}));
        Account account = OneBroker::account("s1", dollarsOfProject(10));
        account.hold = 11 * kDollar;
        QVERIFY(!broker.open(account));
        broker.turn();
        QCOMPARE(thresholdsOf(broker.listed()), std::vector<int>{100});
        QCOMPARE(broker.listed()[0].alert.title,
            std::string("Budget of project choir: what is left does not bear one more turn ($0.00 of $10.00 a month)"));
    }

    void budget_OfAUser_IsToldWithItsProject()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        OneBroker broker(threads, clock, url(), settingsWith({}));
        Budgets budgets;
        budgets.userDay.nanoDollars = kDollar / 20;
        const Account account = OneBroker::account("s1", budgets);
        QVERIFY(broker.open(account));
        broker.spend(account, "a", kDollar / 20);
        broker.turn();
        QCOMPARE(broker.listed().size(), std::size_t{1});
        const Alert alert = broker.listed()[0].alert;
        QCOMPARE(alert.title, std::string("Budget of user alice in project choir: 100 % used ($0.05 of $0.05 a day)"));
        const Json data = Json::parse(alert.data);
        QCOMPARE(data.at("user").get<std::string>(), std::string("2:1:i:alice"));
        QCOMPARE(data.at("project").get<std::string>(), std::string("choir"));
        // Outside of any it has none.
        Account elsewhere = OneBroker::account("s2", budgets);
        elsewhere.project.clear();
        elsewhere.caller = "2:1:i:bob";
        clock.advance(kSecond);
        QVERIFY(broker.open(elsewhere));
        broker.spend(elsewhere, "a", kDollar / 20);
        broker.turn();
        QVERIFY(!Json::parse(broker.listed()[0].alert.data).contains("project"));
    }

    void raised_BeyondTheBound_DropsTheOldest_AndSaysSo()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        OneBroker broker(threads, clock, url(), settingsWith({}));
        for (std::size_t i = 0; i <= AlertDesk::kMostWaiting; ++i) {
            broker.raise(std::to_string(i), {{"number", i}});
        }
        QCOMPARE(broker.desk->waiting(), AlertDesk::kMostWaiting);
        QVERIFY(broker.log.text().find("alert.dropped") != std::string::npos);
        broker.turn();
        QVERIFY(!broker.listed().empty());
        const auto all = broker.listed();
        const bool hasFirst = std::any_of(all.begin(), all.end(),
            [](const ListedAlert& one) { return Json::parse(one.alert.data).at("number") == 0; });
        QVERIFY(!hasFirst);
        // What waits when the broker ends is written down.
        broker.raise("last", {{"number", -1}});
    }

    void raised_BeyondTheBound_WhileTheDatabaseIsAway_SaysSoToo()
    {
        QFETCH_GLOBAL(bool, isShared);
        if (!isShared) {
            QSKIP("a file does not go away");
        }
        tests::NetThreads threads;
        tests::SharedClock clock;
        OneBroker broker(threads, clock, url(), settingsWith({}));
        for (std::size_t i = 0; i < AlertDesk::kMostWaiting; ++i) {
            broker.raise(std::to_string(i));
        }
        m_server->freeze();
        auto turn = broker.beginTurn();
        // What is being written is not among what waits: there is room until it comes back.
        const bool isRoom = QTest::qWaitFor([&] { return broker.desk->waiting() < AlertDesk::kMostWaiting; }, 20'000);
        broker.raise("one more");
        turn.get();
        m_server->thaw();
        QVERIFY(isRoom);
        QCOMPARE(broker.desk->waiting(), AlertDesk::kMostWaiting);
        QVERIFY(broker.log.text().find("alert.dropped") != std::string::npos);
    }

    void raised_WhereNobodyEverLooks_IsNotKept()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        OneBroker broker(threads, clock, url(), settingsWith({}));
        AlertDesk embedded(settingsWith({}),
            {*broker.book, *broker.ledger, clock, broker.log, broker.metrics, &net::sendRequest, [] { return 1.0; },
                broker.spending, "here:8790"});
        embedded.raise(AlertKind::Block, Severity::Warning, "A user is blocked", Json::object(), "one");
        QCOMPARE(embedded.waiting(), std::size_t{0});
    }

    void reload_LetsFormerChannelsGo_WhileOthersUseTheDesk()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        OneBroker broker(threads, clock, url(), settingsWith({}));
        std::function<void()> onEnd;
        /// Whoever has it tells when it goes.
        struct Told {
            explicit Told(std::function<void()>& called) : toCall(called) {}
            Told(const Told&) = default;
            ~Told()
            {
                if (toCall) {
                    toCall();
                }
            }
            Told& operator=(const Told&) = delete;
            std::function<void()>& toCall;
        };
        const Fetch fetch = [told = Told(onEnd)](
                                net::ClientRequest request) { return net::sendRequest(std::move(request)); };
        AlertDesk desk(settingsWith({webhook("ops", "http://127.0.0.1:9")}),
            {*broker.book, *broker.ledger, clock, broker.log, broker.metrics, fetch, [] { return 1.0; },
                broker.spending, "here:8790"});
        std::vector<std::future<bool>> asked;
        bool isFree = true;
        onEnd = [&] {
            asked.push_back(std::async(std::launch::async, [&] { return desk.hasChannels(); }));
            isFree = isFree && asked.back().wait_for(std::chrono::seconds(5)) == std::future_status::ready;
        };
        desk.reconfigure(settingsWith({}));
        onEnd = nullptr;
        QVERIFY(!asked.empty());
        QVERIFY(isFree);
    }

    void storm_OfWhatIsGoodToKnow_LeavesRoomForWhatIsUrgent()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertReceiver receiver(threads);
        OneBroker broker(threads, clock, url(), settingsWith({webhook("ops", receiver.url())}));
        for (int i = 0; i < 70; ++i) {
            broker.desk->raise(
                AlertKind::BudgetThreshold, Severity::Info, "Half of it is used", Json::object(), std::to_string(i));
        }
        broker.turn();
        QVERIFY(broker.isHeardBy(receiver, 60));
        broker.desk->raise(AlertKind::BudgetThreshold, Severity::Critical, "All of it is used", Json::object(), "all");
        broker.turn();
        QVERIFY(broker.isHeardBy(receiver, 61));
        QCOMPARE(receiver.body(60).at("severity").get<std::string>(), std::string("critical"));
    }

    void storm_OfOneKind_IsWrittenDown_ButNotToldWithoutEnd()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        AlertReceiver receiver(threads);
        OneBroker broker(threads, clock, url(), settingsWith({webhook("ops", receiver.url())}));
        for (int i = 0; i < 70; ++i) {
            broker.raise(std::to_string(i), {{"number", i}});
        }
        broker.turn();
        QVERIFY(broker.isHeardBy(receiver, 60));
        const auto all = broker.listed();
        QCOMPARE(all.size(), std::size_t{70});
        const auto told =
            std::count_if(all.begin(), all.end(), [](const ListedAlert& one) { return !one.deliveries.empty(); });
        QCOMPARE(static_cast<int>(told), 60);
        int sayingSo = 0;
        for (std::size_t i = 0; i < receiver.count(); ++i) {
            const auto title = receiver.body(i).at("title").get<std::string>();
            sayingSo += title.find("only at /api/admin/alerts") != std::string::npos ? 1 : 0;
        }
        QCOMPARE(sayingSo, 1);
        // Another kind has a storm of its own, and an hour later this one is told again.
        broker.turnWith("openai", false);
        QVERIFY(broker.isHeardBy(receiver, 61));
        clock.advance(std::chrono::hours(1));
        broker.raise("later");
        broker.turn();
        QVERIFY(broker.isHeardBy(receiver, 62));
    }

    void alerts_OfLongAgo_AreForgotten()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        OneBroker broker(threads, clock, url(), settingsWith({}));
        broker.raise();
        broker.turn();
        clock.advance(std::chrono::hours(24 * 91));
        broker.turn();
        QVERIFY(QTest::qWaitFor([&] { return broker.listed().empty(); }));
        broker.raise();
        broker.turn();
        QCOMPARE(broker.listed().size(), std::size_t{1});
    }

    void list_IsPaged_TheNewestFirst()
    {
        tests::NetThreads threads;
        tests::SharedClock clock;
        OneBroker broker(threads, clock, url(), settingsWith({}));
        for (int i = 0; i < 5; ++i) {
            broker.raise(std::to_string(i), {{"number", i}});
            broker.turn();
            clock.advance(kSecond);
        }
        const auto numbers = [&](const std::string& before) {
            std::string found;
            const auto listed = tests::finish(threads, broker.book->list(before, 2));
            for (const ListedAlert& one : *listed) {
                found += Json::parse(one.alert.data).at("number").dump();
            }
            return found;
        };
        QCOMPARE(numbers({}), std::string("43"));
        const std::string second = (*tests::finish(threads, broker.book->list({}, 2)))[1].alert.id;
        QCOMPARE(numbers(second), std::string("21"));
    }

    void pause_Grows_AndIsJittered()
    {
        QCOMPARE(pauseAfter(1, 1.0), Milliseconds(1'000));
        QCOMPARE(pauseAfter(1, 0.0), Milliseconds(500));
        QCOMPARE(pauseAfter(4, 1.0), Milliseconds(8'000));
        QCOMPARE(pauseAfter(100, 1.0), Milliseconds(900'000));
    }

private:
    [[nodiscard]] std::string lastFile() const
    {
        return "sqlite://" + m_folder.path().toStdString() + "/" + std::to_string(m_files) + ".db";
    }
};

QTEST_GUILESS_MAIN(TestAlerts)
#include "test_alerts.moc"
