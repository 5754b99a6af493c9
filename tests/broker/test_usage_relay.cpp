#include "broker/store/connection.h"
#include "broker/store/database.h"
#include "tests/broker/relay_harness.h"

#include <QTemporaryDir>
#include <QTest>
#include <QUrl>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <future>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

/// A dollar's worth of gpt-realtime's speech: 64 dollars a million.
constexpr int kDollarOfSpeech = 15'625;

std::string done(const std::string& id, int audioTokensOut)
{
    return Json(
        {{"type", "response.done"}, {"event_id", "e"},
            {"response",
                {{"id", id}, {"object", "realtime.response"}, {"status", "completed"}, {"output", Json::array()},
                    {"usage",
                        {{"total_tokens", audioTokensOut}, {"input_tokens", 0}, {"output_tokens", audioTokensOut},
                            {"output_token_details", {{"text_tokens", 0}, {"audio_tokens", audioTokensOut}}}}}}}})
        .dump();
}

/// As with a provider that is paid: what is on this computer is free otherwise.
void paid(broker::Config& config)
{
    config.pricesFile = std::string(std::getenv("VV_SOURCE_DIR")) + "/resources/prices/prices.json";
    config.providerModel = "gpt-realtime";
    config.holdCents = 100;
}

Json usageOf(RelayWorld& world, const std::string& token, const std::string& query = {})
{
    const auto answer = world.operators.as(token, "GET", "/api/voice/usage" + query);
    if (answer.status != 200) {
        qFatal("usage: %d %s", answer.status, answer.body.c_str());
    }
    return Json::parse(answer.body);
}

std::string directSession(RelayWorld& world)
{
    const auto minted = world.operators.as(world.operators.user(), "POST", "/api/voice-agent/token", "{}");
    return Json::parse(minted.body).at("sessionId").get<std::string>();
}

std::string created(const std::string& id)
{
    return Json(
        {{"type", "response.created"}, {"event_id", "e"}, {"response", {{"id", id}, {"object", "realtime.response"}}}})
        .dump();
}

std::string create(const std::string& eventId)
{
    return Json({{"type", "response.create"}, {"event_id", eventId}, {"response", {{"conversation", "none"}}}}).dump();
}

void underABudget(broker::Config& config)
{
    paid(config);
    config.policy.budgets.userDay.nanoDollars = 10'000'000'000;
}

/// Whether the audit, and the metrics, have it.
bool hasDenial(RelayWorld& world, const std::string& why, const std::string& target)
{
    const auto lines = world.operators.lines(0);
    const auto scrape = world.operators.as(world.operators.admin(), "GET", "/metrics").body;
    return scrape.find("vivavoce_denials_total{reason=\"" + why + "\"}") != std::string::npos
        && std::any_of(lines.begin(), lines.end(), [&](const Json& line) {
               return line.at("event") == "request.deny" && line.at("why") == why && line.value("target", "") == target;
           });
}

int take(RelayWorld& world, const Json& report, const std::string& user = "u1")
{
    const auto answer = world.operators.as(world.operators.user(user), "POST", "/api/voice/usage", report.dump());
    return static_cast<int>(answer.status);
}

} // namespace

/// The database of a broker, for what its tests do to it behind its back.
class DatabaseBeside {
public:
    void use(broker::Config& config) const { config.databaseUrl = core::Secret(url()); }
    void run(const std::string& query)
    {
        if (m_database == nullptr) {
            broker::Database::Settings settings;
            settings.url = core::Secret(url());
            auto opened = broker::Database::open(std::move(settings), m_log);
            if (!opened) {
                qFatal("%s", opened.error().detail.c_str());
            }
            m_database = std::move(*opened);
        }
        std::promise<void> done;
        m_database->post([&](broker::Connection& sql) {
            sql << query;
            done.set_value();
        });
        done.get_future().wait();
        // Behind it, so that it is committed.
        std::promise<void> next;
        m_database->post([&](broker::Connection&) { next.set_value(); });
        next.get_future().wait();
    }

private:
    [[nodiscard]] std::string url() const { return "sqlite://" + m_folder.path().toStdString() + "/broker.db"; }

    const QTemporaryDir m_folder;
    CapturedLog m_log;
    std::unique_ptr<broker::Database> m_database;
};

/// From the provider's own word to what users and admins read of it.
class TestUsageRelay : public QObject {
    Q_OBJECT

private slots:
    void whatTheClientHasHeardOf_IsInTheLedger()
    {
        RelayWorld world(&paid);
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        provider->send(done("r1", kDollarOfSpeech));
        provider->send(done("r1", kDollarOfSpeech));
        provider->send(done("r2", 2 * kDollarOfSpeech));
        for (int i = 0; i < 3; ++i) {
            (void)client->line().next();
        }
        const Json usage = usageOf(world, world.operators.user());
        QCOMPARE(usage["totalSessions"].get<int>(), 1);
        QCOMPARE(usage["sessionsToday"].get<int>(), 1);
        // One that is told twice is billed once.
        QCOMPARE(usage["totalCost"].get<double>(), 3.0);
        QCOMPARE(usage["costToday"].get<double>(), 3.0);
        QCOMPARE(usage["turns"].get<int>(), 2);
        QCOMPARE(usage["tokens"]["audioOut"].get<int>(), 3 * kDollarOfSpeech);
    }

    void streamThatEnds_LeavesItsTimeAndSound()
    {
        RelayWorld world(&paid);
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        // A second each way, at 24 kHz.
        client->line().send(Json({{"type", "input_audio_buffer.append"}, {"audio", std::string(64'000, 'A')}}).dump());
        (void)provider->next();
        provider->send(Json({{"type", "response.output_audio.delta"}, {"delta", std::string(64'000, 'A')}}).dump());
        (void)client->line().next();
        world.operators.broker.clock.advance(core::Milliseconds(6'000));
        client->line().close(1000, "");
        (void)provider->end();
        QTRY_COMPARE(usageOf(world, world.operators.user())["totalMinutes"].get<double>(), 0.1);
        const Json usage = usageOf(world, world.operators.user());
        QCOMPARE(usage["audioMinutesIn"].get<double>(), 1.0 / 60);
        QCOMPARE(usage["audioMinutesOut"].get<double>(), 1.0 / 60);
        QCOMPARE(usage["averageSessionDuration"].get<double>(), 0.1);
    }

    void streamThatGoesOn_IsToldOfWhileItDoes()
    {
        RelayWorld world(&paid);
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        // So that the broker has seen it open, too.
        provider->send(R"({"type":"x"})");
        (void)client->line().next();
        world.operators.broker.clock.advance(core::Milliseconds(15'000));
        QTRY_COMPARE(usageOf(world, world.operators.user())["totalMinutes"].get<double>(), 0.25);
    }

    /// With the turn that went over it: nothing is taken from who has paid for it.
    void budgetThatIsSpent_EndsTheSession_AndRefusesTheNext()
    {
        RelayWorld world([](broker::Config& config) {
            paid(config);
            config.policy.budgets.userDay.nanoDollars = 3'000'000'000;
        });
        const auto session = world.session();
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        provider->send(done("r1", 2 * kDollarOfSpeech));
        QCOMPARE(client->line().next(), done("r1", 2 * kDollarOfSpeech));
        provider->send(done("r2", 1));
        QCOMPARE(client->line().next(), done("r2", 1));
        QCOMPARE(unsigned{client->line().end().code}, 4402U);
        QCOMPARE(client->line().end().reason, std::string("budget_exhausted"));
        (void)provider->end();
        // Neither with the same token, nor with another session, nor around the relay.
        QCOMPARE(StreamClient(world.streamRequest(session.token.reveal())).status(), 429);
        for (const char* const path : {"/api/voice/session", "/api/voice-agent/token"}) {
            const auto refused = world.operators.as(world.operators.user(), "POST", path, "{}");
            QCOMPARE(refused.status, 429);
            QCOMPARE(Json::parse(refused.body)["code"].get<std::string>(), std::string("budget_exhausted"));
            QCOMPARE(Json::parse(refused.body)["violated-policies"][0].get<std::string>(), std::string("user_day"));
            QCOMPARE(refused.headers.find("Retry-After").value_or(""), std::string_view("57600"));
        }
        // Somebody else has a budget of their own.
        (void)world.session("{}", "u2");
    }

    /// Or an outage would look like an attack.
    void streamThatIsRefusedInAnOutage_IsNoDenial()
    {
        DatabaseBeside database;
        RelayWorld world([&](broker::Config& config) { database.use(config); });
        const auto session = world.session();
        database.run("ALTER TABLE sessions RENAME TO gone");
        QCOMPARE(StreamClient(world.streamRequest(session.token.reveal())).status(), 503);
        database.run("ALTER TABLE gone RENAME TO sessions");
        // Its line comes after that one's, if that had one.
        QCOMPARE(StreamClient(world.streamRequest("wrong")).status(), 401);
        const auto lines = world.operators.lines(2);
        QCOMPARE(lines.size(), std::size_t{2});
        QCOMPARE(lines[1].at("event").get<std::string>(), std::string("request.deny"));
        QCOMPARE(lines[1].at("why").get<std::string>(), std::string("invalid_token"));
    }

    /// Nobody can look up whose it is, and it is not to go on for that.
    void sessionThatAnAdminEnds_WhileTheDatabaseIsAway_IsCut_AndHasEndedWhenItIsBack()
    {
        DatabaseBeside database;
        RelayWorld world([&](broker::Config& config) { database.use(config); });
        const auto session = world.session();
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        const auto other = world.open(world.session("{}", "u2"));
        const auto othersProvider = world.upstream.next();
        database.run("ALTER TABLE sessions RENAME TO gone");
        const auto answer =
            world.operators.as(world.operators.admin(), "DELETE", "/api/voice/session/" + session.sessionId);
        QCOMPARE(answer.status, 503U);
        QVERIFY2(answer.body.find("its stream here is cut") != std::string::npos, answer.body.c_str());
        QCOMPARE(unsigned{client->line().end().code}, 4403U);
        QCOMPARE(client->line().end().reason, std::string("session_ended"));
        (void)provider->end();
        othersProvider->send(R"({"type":"x"})");
        QCOMPARE(other->line().next(), std::string(R"({"type":"x"})"));
        database.run("ALTER TABLE gone RENAME TO sessions");
        const auto live = [&] {
            const auto told = world.operators.as(world.operators.user(), "GET", "/api/voice/session");
            return told.status == 200 ? Json::parse(told.body).at("sessions").size() : std::size_t{99};
        };
        QTRY_COMPARE(live(), std::size_t{0});
        QCOMPARE(StreamClient(world.streamRequest(session.token.reveal())).status(), 401);
        other->line().close(1000, "");
        (void)othersProvider->end();
    }

    /// The provider goes on all the same, and so would a client.
    void ledgerThatCannotBeWritten_EndsASession_OnceItsHoldIsUsed()
    {
        DatabaseBeside database;
        RelayWorld world([&](broker::Config& config) {
            underABudget(config);
            database.use(config);
        });
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        provider->send(done("r1", kDollarOfSpeech));
        QCOMPARE(client->line().next(), done("r1", kDollarOfSpeech));
        database.run("ALTER TABLE usage_parts RENAME TO gone");
        provider->send(done("r2", kDollarOfSpeech));
        QCOMPARE(client->line().next(), done("r2", kDollarOfSpeech));
        // What it holds is a dollar.
        provider->send(R"({"type":"x"})");
        QCOMPARE(client->line().next(), std::string(R"({"type":"x"})"));
        provider->send(done("r3", 1));
        QCOMPARE(client->line().next(), done("r3", 1));
        QCOMPARE(unsigned{client->line().end().code}, 4013U);
        QCOMPARE(client->line().end().reason, std::string("unavailable"));
        (void)provider->end();
        database.run("ALTER TABLE gone RENAME TO usage_parts");
        QTRY_VERIFY(usageOf(world, world.operators.user())["totalCost"].get<double>() > 2.0);
    }

    void budgetThatIsSpent_WhileTheLedgerIsAway_EndsTheSessionWhenItIsBack()
    {
        DatabaseBeside database;
        RelayWorld world([&](broker::Config& config) {
            paid(config);
            config.policy.budgets.userDay.nanoDollars = 1'500'000'000;
            database.use(config);
        });
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        provider->send(R"({"type":"x"})");
        (void)client->line().next();
        database.run("ALTER TABLE usage_parts RENAME TO gone");
        provider->send(done("r1", kDollarOfSpeech));
        QCOMPARE(client->line().next(), done("r1", kDollarOfSpeech));
        database.run("ALTER TABLE gone RENAME TO usage_parts");
        QCOMPARE(unsigned{client->line().end().code}, 4402U);
        (void)provider->end();
    }

    /// Or one hold would stand for as many of the longest turns as can be asked for before the first one is billed.
    void responses_UnderABudget_AreOneAtATime()
    {
        RelayWorld world(&underABudget);
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        for (const char* const id : {"c1", "c2", "c3"}) {
            client->line().send(create(id));
        }
        QCOMPARE(provider->next(), create("c1"));
        for (const char* const id : {"c2", "c3"}) {
            const Json refused = Json::parse(client->line().next());
            QCOMPARE(refused.at("error").at("code").get<std::string>(),
                std::string("conversation_already_has_active_response"));
            QCOMPARE(refused.at("error").at("event_id").get<std::string>(), std::string(id));
        }
        // Begun is not done.
        provider->send(created("r1"));
        QCOMPARE(client->line().next(), created("r1"));
        client->line().send(create("c4"));
        QVERIFY(client->line().next().find("conversation_already_has_active_response") != std::string::npos);
        provider->send(done("r1", 1));
        QCOMPARE(client->line().next(), done("r1", 1));
        client->line().send(create("c5"));
        QCOMPARE(provider->next(), create("c5"));
        // One that the provider refuses has never been.
        provider->send(R"({"type":"error","error":{"type":"t","code":"c","message":"m","event_id":"c5"}})");
        (void)client->line().next();
        client->line().send(create("c6"));
        QCOMPARE(provider->next(), create("c6"));
        QCOMPARE(provider->pending(), std::size_t{0});
    }

    void responses_WithoutABudget_AreTheProvidersBusiness()
    {
        RelayWorld world(&paid);
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        for (const char* const id : {"c1", "c2"}) {
            client->line().send(create(id));
            QCOMPARE(provider->next(), create(id));
        }
    }

    void transcriberWithoutAPrice_IsRefusedUnderABudget()
    {
        RelayWorld world(&underABudget);
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        const auto update = [](const char* model) {
            return Json({{"type", "session.update"},
                            {"session", {{"audio", {{"input", {{"transcription", {{"model", model}}}}}}}}}})
                .dump();
        };
        client->line().send(update("gpt-tomorrow-transcribe"));
        QVERIFY(client->line().next().find("transcriber_without_price") != std::string::npos);
        client->line().send(update("gpt-live-transcribe"));
        QCOMPARE(provider->next(), update("gpt-live-transcribe"));
    }

    void hangingUp_BeforeTheEndOfAResponse_IsBilled_data()
    {
        QTest::addColumn<QString>("end");
        QTest::newRow("hanging up") << "hang up";
        QTest::newRow("a lost connection") << "drop";
        QTest::newRow("another stream of the session") << "taken over";
        QTest::newRow("the session's end") << "end";
    }
    void hangingUp_BeforeTheEndOfAResponse_IsBilled()
    {
        QFETCH(QString, end);
        RelayWorld world(&underABudget);
        const auto session = world.session();
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        client->line().send(create("c1"));
        (void)provider->next();
        provider->send(created("r1"));
        (void)client->line().next();
        std::unique_ptr<StreamClient> other;
        if (end == "hang up") {
            client->line().close(1000, "");
        } else if (end == "drop") {
            client->drop();
        } else if (end == "taken over") {
            other = world.open(session);
        } else {
            (void)world.operators.as(world.operators.user(), "DELETE", "/api/voice/session/" + session.sessionId);
        }
        const Json cancel = Json::parse(provider->next());
        QCOMPARE(cancel.at("type").get<std::string>(), std::string("response.cancel"));
        QCOMPARE(cancel.at("response_id").get<std::string>(), std::string("r1"));
        provider->send(done("r1", 2 * kDollarOfSpeech));
        (void)provider->end();
        QTRY_COMPARE(usageOf(world, world.operators.user())["totalCost"].get<double>(), 2.0);
        QCOMPARE(usageOf(world, world.operators.user())["turns"].get<int>(), 1);
        QCOMPARE(usageOf(world, world.operators.user())["rows"][0]["unpricedTurns"].get<int>(), 0);
    }

    void responseWhoseEndNobodyTells_CostsItsHold_data()
    {
        QTest::addColumn<bool>("hasBegun");
        QTest::addColumn<bool>("isCrash");
        QTest::newRow("asked for") << false << false;
        QTest::newRow("begun") << true << false;
        QTest::newRow("begun, and the provider is lost") << true << true;
    }
    void responseWhoseEndNobodyTells_CostsItsHold()
    {
        QFETCH(bool, hasBegun);
        QFETCH(bool, isCrash);
        RelayWorld world(&underABudget);
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        client->line().send(create("c1"));
        (void)provider->next();
        if (hasBegun) {
            provider->send(created("r1"));
            (void)client->line().next();
        }
        if (isCrash) {
            world.upstream.crash();
        } else {
            client->line().close(1000, "");
            // It is not waited for for ever.
            (void)provider->end();
        }
        QTRY_COMPARE(usageOf(world, world.operators.user())["totalCost"].get<double>(), 1.0);
        QCOMPARE(usageOf(world, world.operators.user())["rows"][0]["unpricedTurns"].get<int>(), 1);
        QTRY_VERIFY(world.operators.broker.log.text().find("usage.untold") != std::string::npos);
    }

    /// The provider complains of what the client has sent to have it complain: that refuses no response.
    void errorThatTheClientProvokes_ReleasesNoResponse_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::newRow("by the same name") << QByteArray(R"("event_id":"c1")");
        QTest::newRow("in escapes") << QByteArray(R"("event_id":"\u0063\u0031")");
        QTest::newRow("in another case") << QByteArray(R"("Event_ID":"c1")");
    }
    void errorThatTheClientProvokes_ReleasesNoResponse()
    {
        QFETCH(QByteArray, name);
        RelayWorld world(&underABudget);
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        client->line().send(create("c1"));
        client->line().send(R"({"type":"nonsense",)" + name.toStdString() + "}");
        (void)provider->next();
        (void)provider->next();
        for (const char* const named : {R"(,"event_id":"c1")", ""}) {
            provider->send(
                std::string(R"({"type":"error","error":{"type":"t","code":"c","message":"m")") + named + "}}");
            (void)client->line().next();
            client->line().send(create("c2"));
            QVERIFY(client->line().next().find("conversation_already_has_active_response") != std::string::npos);
        }
        client->line().close(1000, "");
        (void)provider->end();
        QTRY_COMPARE(usageOf(world, world.operators.user())["totalCost"].get<double>(), 1.0);
    }

    /// A turn has ended, and the provider is about to answer.
    void hangingUp_BeforeTheAnswerBegins_MakesItNotFree()
    {
        RelayWorld world(&underABudget);
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        const std::string committed = R"({"type":"input_audio_buffer.committed","item_id":"i"})";
        provider->send(committed);
        QCOMPARE(client->line().next(), committed);
        client->line().close(1000, "");
        provider->send(created("r1"));
        QCOMPARE(Json::parse(provider->next()).at("type").get<std::string>(), std::string("response.cancel"));
        provider->send(done("r1", kDollarOfSpeech));
        (void)provider->end();
        QTRY_COMPARE(usageOf(world, world.operators.user())["totalCost"].get<double>(), 1.0);
    }

    void endThatCannotBeRead_IsNeitherFreeNorSilent()
    {
        RelayWorld world(&underABudget);
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        provider->send(R"({"type":"response.done","response":[]})");
        QCOMPARE(client->line().next(), std::string(R"({"type":"response.done","response":[]})"));
        const Json usage = usageOf(world, world.operators.user());
        QCOMPARE(usage["totalCost"].get<double>(), 1.0);
        QCOMPARE(usage["rows"][0]["unpricedTurns"].get<int>(), 1);
        client->line().close(1000, "");
        (void)provider->end();
        QTRY_VERIFY(world.operators.broker.log.text().find("usage.untold") != std::string::npos);
    }

    void dialThatFails_IsNoConnectedTime()
    {
        RelayWorld world(&paid);
        world.upstream.hold();
        const auto client = world.open(world.session());
        world.operators.broker.clock.advance(core::Milliseconds(60'000));
        QCOMPARE(client->line().end().reason, std::string("provider_timeout"));
        QTRY_VERIFY(world.operators.broker.log.text().find("stream.closed") != std::string::npos);
        QCOMPARE(usageOf(world, world.operators.user())["totalMinutes"].get<double>(), 0.0);
        world.upstream.release();
    }

    /// Whoever goes down without time for anybody still says what the streams came to that it cut off.
    void streamThatIsCutOff_IsInTheLedger()
    {
        const QTemporaryDir folder;
        const core::Secret url("sqlite://" + folder.path().toStdString() + "/broker.db");
        RelayWorld world([&](broker::Config& config) {
            paid(config);
            config.databaseUrl = url.clone();
        });
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        provider->send(R"({"type":"x"})");
        (void)client->line().next();
        world.operators.broker.clock.advance(core::Milliseconds(6'000));
        world.operators.broker.drain(core::Milliseconds{0});
        CapturedLog log;
        std::atomic<long long> connected{0};
        broker::Database::Settings settings;
        settings.url = url.clone();
        const auto database = broker::Database::open(std::move(settings), log);
        QVERIFY(database.has_value());
        QTRY_VERIFY(([&] {
            (*database)->post([&](broker::Connection& sql) {
                long long found = 0;
                sql << "SELECT connected_ms FROM usage_sessions WHERE is_holding = 0 AND reason <> ''",
                    soci::into(found);
                connected = found;
            });
            return connected.load() == 6'000;
        })());
    }

    /// Its place is taken at another broker, which only the ledger knows of.
    void streamWhosePlaceIsTakenElsewhere_Ends()
    {
        const QTemporaryDir folder;
        const std::string path = folder.path().toStdString() + "/broker.db";
        RelayWorld world([&](broker::Config& config) {
            paid(config);
            config.databaseUrl = core::Secret("sqlite://" + path);
        });
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        provider->send(R"({"type":"x"})");
        (void)client->line().next();
        CapturedLog log;
        broker::Database::Settings settings;
        settings.url = core::Secret("sqlite://" + path);
        const auto database = broker::Database::open(std::move(settings), log);
        QVERIFY(database.has_value());
        (*database)->post([](broker::Connection& sql) { sql << "UPDATE usage_sessions SET holder = 'other'"; });
        QCOMPARE(unsigned{client->line().end().code}, 4409U);
        QCOMPARE(client->line().end().reason, std::string("taken_over"));
        (void)provider->end();
    }

    /// It says goodbye in the moment in which its session has moved to another broker.
    void hangingUp_OnceAnotherBrokerHasTheSession_EndsNothing()
    {
        DatabaseBeside database;
        RelayWorld world([&](broker::Config& config) {
            paid(config);
            database.use(config);
        });
        const auto client = world.open(world.session());
        const auto provider = world.upstream.next();
        provider->send(R"({"type":"x"})");
        (void)client->line().next();
        database.run("CREATE TRIGGER moved AFTER UPDATE OF reason ON usage_sessions BEGIN "
                     "UPDATE usage_sessions SET holder = 'other' WHERE id = new.id; END");
        client->line().close(1000, "");
        (void)provider->end();
        QTRY_VERIFY(world.operators.broker.log.text().find("stream.closed") != std::string::npos);
        const auto live = world.operators.as(world.operators.user(), "GET", "/api/voice/session");
        QCOMPARE(Json::parse(live.body)["sessions"].size(), std::size_t{1});
    }

    /// Another broker's stream of the session goes on, and so does what the session holds for it.
    void streamThatComesToNothing_TakesNobodysPlace()
    {
        const QTemporaryDir folder;
        const std::string path = folder.path().toStdString() + "/broker.db";
        RelayWorld world([&](broker::Config& config) {
            paid(config);
            config.databaseUrl = core::Secret("sqlite://" + path);
        });
        const auto session = world.session();
        CapturedLog log;
        broker::Database::Settings settings;
        settings.url = core::Secret("sqlite://" + path);
        const auto database = broker::Database::open(std::move(settings), log);
        QVERIFY(database.has_value());
        NetThreads threads;
        const auto inDatabase = [&](const std::string& query, std::string& value) {
            const std::function<int(broker::Connection&)> work = [&](broker::Connection& sql) {
                sql << query, soci::into(value);
                return 0;
            };
            return boost::asio::co_spawn(threads.executor(), (*database)->run<int>(work), boost::asio::use_future)
                .get();
        };
        std::string holder;
        QVERIFY(inDatabase("UPDATE usage_sessions SET holder = 'other' RETURNING holder", holder).has_value());
        world.upstream.crash();
        const auto client = world.open(session);
        QCOMPARE(unsigned{client->line().end().code}, 4013U);
        QVERIFY(inDatabase("SELECT holder FROM usage_sessions WHERE is_holding = 1", holder).has_value());
        QCOMPARE(holder, std::string("other"));
        threads.stop();
    }

    void streamThatAnotherOneTakesThePlaceOf_LeavesTheHold()
    {
        RelayWorld world([](broker::Config& config) {
            paid(config);
            config.policy.budgets.userDay.nanoDollars = 1'500'000'000;
        });
        const auto session = world.session();
        const auto former = world.open(session);
        const auto formerProvider = world.upstream.next();
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        QCOMPARE(unsigned{former->line().end().code}, 4409U);
        (void)formerProvider->end();
        QTRY_VERIFY(world.operators.broker.log.text().find("\"why\":\"taken_over\"") != std::string::npos);
        const auto begin = [&] {
            return world.operators.as(world.operators.user(), "POST", "/api/voice/session", "{}").status;
        };
        QCOMPARE(begin(), 429);
        client->line().close(1000, "");
        (void)provider->end();
        QTRY_VERIFY(world.operators.broker.log.text().find("\"by\":\"client\"") != std::string::npos);
        QCOMPARE(begin(), 200);
    }

    /// Each stream's response is under way when the next one takes its place.
    void responsesOfStreamsWhosePlaceIsTaken_AreHeldFor()
    {
        RelayWorld world([](broker::Config& config) {
            paid(config);
            config.policy.budgets.userDay.nanoDollars = 2'500'000'000;
        });
        const auto session = world.session();
        std::vector<std::unique_ptr<StreamClient>> clients;
        for (int i = 0; i < 2; ++i) {
            clients.push_back(world.open(session));
            const auto provider = world.upstream.next();
            clients.back()->line().send(create("c1"));
            QCOMPARE(provider->next(), create("c1"));
        }
        // Two dollars are held, and the third one's would be too much.
        const auto last = world.open(session);
        const auto provider = world.upstream.next();
        last->line().send(create("c1"));
        QCOMPARE(unsigned{last->line().end().code}, 4402U);
        (void)provider->end();
        QCOMPARE(provider->pending(), std::size_t{0});
        QTRY_COMPARE(usageOf(world, world.operators.user())["totalCost"].get<double>(), 2.0);
    }

    void responseOfASessionThatIsEnded_IsHeldFor()
    {
        RelayWorld world([](broker::Config& config) {
            paid(config);
            config.policy.budgets.userDay.nanoDollars = 1'500'000'000;
        });
        const auto session = world.session();
        const auto client = world.open(session);
        const auto provider = world.upstream.next();
        client->line().send(create("c1"));
        QCOMPARE(provider->next(), create("c1"));
        const std::string user = world.operators.user();
        (void)world.operators.as(user, "DELETE", "/api/voice/session/" + session.sessionId);
        QCOMPARE(world.operators.as(user, "POST", "/api/voice/session", "{}").status, 429);
    }

    void sessionUnderABudget_GoesThroughTheRelay()
    {
        RelayWorld world([](broker::Config& config) {
            paid(config);
            config.policy.budgets.userDay.connected = core::Milliseconds(3'600'000);
        });
        const auto answer = world.operators.as(world.operators.user(), "POST", "/api/voice-agent/token", "{}");
        QCOMPARE(Json::parse(answer.body)["transport"].get<std::string>(), std::string("relay"));
    }

    void modelThatNobodyKnowsThePriceOf_IsRefusedUnderABudgetOfMoney()
    {
        RelayWorld world([](broker::Config& config) {
            paid(config);
            config.providerModel = "gpt-tomorrow";
            config.policy.budgets.projectMonth.nanoDollars = 1;
        });
        const auto answer = world.operators.as(world.operators.user(), "POST", "/api/voice/session", "{}");
        QCOMPARE(answer.status, 403);
        QCOMPARE(Json::parse(answer.body)["code"].get<std::string>(), std::string("not_allowed"));
    }

    void usage_IsOnesOwn_AndAllOfItForAdmins()
    {
        RelayWorld world(&paid);
        for (const char* const user : {"u1", "u2"}) {
            const auto client = world.open(world.session("{}", user));
            const auto provider = world.upstream.next();
            provider->send(done("r1", kDollarOfSpeech));
            (void)client->line().next();
        }
        const std::string u1 = world.operators.user("u1");
        QCOMPARE(usageOf(world, u1, "?by=user")["totalCost"].get<double>(), 1.0);
        const Json all = usageOf(world, world.operators.admin(), "?by=user");
        QCOMPARE(all["totalCost"].get<double>(), 2.0);
        QCOMPARE(all["rows"].size(), std::size_t{2});
        const auto other = all["rows"][0]["user"].get<std::string>();
        const std::string one = all["rows"][1]["user"].get<std::string>();
        // A user's key in an address: as it is written there.
        const auto path = [](const std::string& key) {
            return "/api/voice/usage?user=" + QUrl::toPercentEncoding(QString::fromStdString(key)).toStdString();
        };
        QCOMPARE(
            Json::parse(world.operators.as(world.operators.admin(), "GET", path(one)).body)["totalCost"].get<double>(),
            1.0);
        const int refused = static_cast<int>(world.operators.as(u1, "GET", path(one)).status == 403)
            + static_cast<int>(world.operators.as(u1, "GET", path(other)).status == 403);
        QCOMPARE(refused, 1);
        const auto denied = world.operators.as(u1, "GET", "/api/voice/usage?user=somebody");
        QCOMPARE(denied.headers.find("WWW-Authenticate").value_or(""),
            std::string_view("Bearer realm=\"vivavoce\", error=\"insufficient_scope\", scope=\"voice:admin\""));
        QTRY_VERIFY(hasDenial(world, "insufficient_scope", {}));
        const auto csv = world.operators.as(world.operators.admin(), "GET", "/api/voice/usage?by=model&format=csv");
        QVERIFY(csv.headers.find("Content-Type").value_or("").starts_with("text/csv"));
        QVERIFY(csv.body.find("\r\ngpt-realtime,2,") != std::string::npos);
    }

    void usage_AskedWrongly_IsRefused()
    {
        RelayWorld world(&paid);
        const std::string user = world.operators.user();
        for (const char* const query : {"?by=colour", "?from=tomorrow", "?to=2027-02-30", "?format=xml",
                 "?from=2027-02-02&to=2027-02-01", "?colour=red", "?by=day&by=user", "?&by=day", "?BY=day"}) {
            const auto answer = world.operators.as(user, "GET", std::string("/api/voice/usage") + query);
            QVERIFY2(answer.status == 400, query);
        }
        QCOMPARE(world.operators.as("nonsense", "GET", "/api/voice/usage").status, 401);
        const std::string minter = world.operators.login.token("u1", "voice:mint");
        QCOMPARE(world.operators.as(minter, "GET", "/api/voice/usage").status, 403);
    }

    void directSession_IsWhatItsClientSaysOfIt()
    {
        RelayWorld world(&paid);
        const auto id = directSession(world);
        world.operators.broker.clock.advance(core::Milliseconds(60'000));
        const Json report{{"sessionId", id}, {"connectedMs", 30'000}, {"toolCalls", 2},
            {"events", {Json::parse(done("r1", kDollarOfSpeech))}}};
        QCOMPARE(take(world, report), 200);
        // Told again it counts once; with more in it, the more.
        Json more = report;
        more["connectedMs"] = 42'000;
        more["events"].push_back(Json::parse(done("r2", kDollarOfSpeech)));
        QCOMPARE(take(world, more), 200);
        QCOMPARE(take(world, report), 200);
        const Json usage = usageOf(world, world.operators.user());
        QCOMPARE(usage["totalCost"].get<double>(), 2.0);
        QCOMPARE(usage["turns"].get<int>(), 2);
        QCOMPARE(usage["toolCallsTotal"].get<int>(), 2);
        QCOMPARE(usage["totalMinutes"].get<double>(), 0.7);
        QCOMPARE(usage["tokens"]["audioOut"].get<int>(), 2 * kDollarOfSpeech);
        // No longer than it can have been.
        more["connectedMs"] = 999'000'000;
        QCOMPARE(take(world, more), 200);
        QCOMPARE(usageOf(world, world.operators.user())["totalMinutes"].get<double>(), 1.0);
    }

    void transcriptionOfADirectSession_HasItsPrice()
    {
        RelayWorld world(&paid);
        const Json event{{"type", "conversation.item.input_audio_transcription.completed"}, {"event_id", "e"},
            {"item_id", "i1"}, {"content_index", 0}, {"transcript", ""},
            {"usage", {{"type", "duration"}, {"seconds", 60.0}}}};
        const Json report{{"sessionId", directSession(world)}, {"connectedMs", 0}, {"toolCalls", 0},
            {"transcriptionModel", "gpt-realtime-whisper"}, {"events", {event}}};
        QCOMPARE(take(world, report), 200);
        QCOMPARE(usageOf(world, world.operators.user())["totalCost"].get<double>(), 0.017);
    }

    void budget_IsNotSpentByWhatClientsSay()
    {
        RelayWorld world(&paid);
        const auto id = directSession(world);
        const Json report{{"sessionId", id}, {"connectedMs", 0}, {"toolCalls", 0},
            {"events", {Json::parse(done("r1", 100 * kDollarOfSpeech))}}};
        QCOMPARE(take(world, report), 200);
        QCOMPARE(usageOf(world, world.operators.user())["totalCost"].get<double>(), 100.0);
        (void)world.operators.broker.reload(
            [](broker::Config& config) { config.policy.budgets.userDay.nanoDollars = 3'000'000'000; });
        (void)world.session();
    }

    void report_OfWhatIsNotTheirs_IsRefused()
    {
        RelayWorld world(&paid);
        const Json nothing{{"sessionId", directSession(world)}, {"connectedMs", 0}, {"toolCalls", 0}};
        QCOMPARE(take(world, nothing, "u2"), 404);
        QTRY_VERIFY(hasDenial(world, "session_not_found", nothing["sessionId"].get<std::string>()));
        Json relayed = nothing;
        relayed["sessionId"] = world.session().sessionId;
        QCOMPARE(take(world, relayed), 404);
    }

    /// Not by session, of which somebody may have had many; and before anything is looked up.
    void reports_AreCountedByUser()
    {
        RelayWorld world([](broker::Config& config) {
            paid(config);
            config.refreshesPerMinute = 3;
        });
        const Json one{{"sessionId", directSession(world)}, {"connectedMs", 0}, {"toolCalls", 0}};
        const auto of = [&one](const char* session) {
            Json report = one;
            report["sessionId"] = session;
            return report;
        };
        QCOMPARE(take(world, one), 200);
        QCOMPARE(take(world, of("voice_1_one")), 404);
        QCOMPARE(take(world, of("voice_1_other")), 404);
        QCOMPARE(take(world, one), 429);
        QCOMPARE(take(world, of("voice_1_third")), 429);
        // Nobody else has spent theirs.
        QCOMPARE(take(world, one, "u2"), 404);
    }

    void report_ADayAfterTheEnd_IsRefused()
    {
        // Nobody could tell the same report from another.
        RelayWorld world(&paid);
        const std::string service = world.operators.serviceKey();
        const auto as = [&](const char* path, const Json& body) {
            return world.operators.as(service, "POST", path, body.dump());
        };
        const auto id = Json::parse(as("/api/voice-agent/token", Json::object()).body)["sessionId"].get<std::string>();
        const Json report{{"sessionId", id}, {"connectedMs", 0}, {"toolCalls", 0}};
        QCOMPARE(as("/api/voice/usage", report).status, 200);
        world.operators.broker.clock.advance(std::chrono::hours(49));
        QTRY_COMPARE(as("/api/voice/usage", report).status, 404);
    }

    void report_ThatIsNone_IsRefused_data()
    {
        QTest::addColumn<QByteArray>("field");
        QTest::addColumn<QByteArray>("value");
        const auto row = [](const char* name, const char* field, const char* value) {
            QTest::newRow(name) << QByteArray(field) << QByteArray(value);
        };
        row("time that ran backwards", "connectedMs", "-1");
        row("a fraction", "connectedMs", "1.5");
        row("tools by the billion", "toolCalls", "2000000000");
        row("an event that bills nothing", "events", R"([{"type": "response.created"}])");
        row("tokens below nothing", "events",
            R"([{"type": "response.done", "response": {"id": "r", "usage": {"input_token_details": {"text_tokens": -5}}}}])");
        row("a part of a token", "events",
            R"([{"type": "response.done", "response": {"id": "r", "usage": {"output_tokens": 1.5}}}])");
        row("a text", "events", R"(["response.done"])");
        row("too many", "events", "[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]");
        row("another field", "cost", "0");
    }
    void report_ThatIsNone_IsRefused()
    {
        QFETCH(QByteArray, field);
        QFETCH(QByteArray, value);
        RelayWorld world(&paid);
        Json report{{"sessionId", directSession(world)}, {"connectedMs", 0}, {"toolCalls", 0}};
        report[field.toStdString()] = Json::parse(value.toStdString());
        QCOMPARE(take(world, report), 400);
    }
};

QTEST_GUILESS_MAIN(TestUsageRelay)
#include "test_usage_relay.moc"
