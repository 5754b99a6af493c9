#include "core/usage/broker_ledger.h"
#include "tests/support/fake_ports.h"

#include <QTest>

#include <optional>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

/// As a broker of ours writes it.
const std::string kAnswer =
    R"({"from":"2026-11-01","to":"2026-11-29","currency":"USD","totalSessions":3,"totalMinutes":2.5,"totalCost":0.25,)"
    R"("costReported":0.1,"turns":7,"unpricedTurns":1,"tokens":{"textIn":10,"cachedTextIn":1,"textOut":20,"audioIn":30,)"
    R"("cachedAudioIn":2,"audioOut":40,"imageIn":0,"cachedImageIn":0,"transcription":5},"rows":[],"isCut":false})";

/// Another one after the first was refused.
class TwoCredentials final : public CredentialSource {
public:
    void fetch(CredentialCallback done) override { done(current); }
    [[nodiscard]] bool replace(const CredentialPtr& refused) override
    {
        const bool isFirst = refused == first;
        current = second;
        return isFirst;
    }
    const CredentialPtr first = std::make_shared<const Secret>(std::string_view("old"));
    const CredentialPtr second = std::make_shared<const Secret>(std::string_view("new"));
    CredentialPtr current = first;
};

struct World {
    void ask(const UsageQuery& query)
    {
        ledger->ask(query, [this](const Expected<BrokerUsage, Error>& answer) { told = answer; });
    }
    void askForNovember()
    {
        UsageQuery query;
        query.from = "2026-11-01";
        query.to = "2026-11-29";
        query.broker = "https://voice.example";
        ask(query);
    }
    std::shared_ptr<TwoCredentials> credential = std::make_shared<TwoCredentials>();
    FakeHttpClient http;
    std::optional<BrokerLedger> ledger{std::in_place, BrokerLedger::Dependencies{http, credential}};
    std::optional<Expected<BrokerUsage, Error>> told;
};

UsageFigures figures(std::int64_t tokens, std::int64_t nanoDollars)
{
    UsageFigures made;
    made.tokens.audioIn = tokens;
    made.nanoDollars = nanoDollars;
    return made;
}

} // namespace

/// What a broker has in its books, asked and compared.
class BrokerLedgerTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void month_IsAskedFor_AndRead()
    {
        World world;
        world.askForNovember();
        QCOMPARE(world.http.sent.size(), std::size_t{1});
        const HttpClient::Request& request = world.http.sent.front().request;
        QCOMPARE(request.method, std::string("GET"));
        QCOMPARE(request.url, std::string("https://voice.example/api/voice/usage?from=2026-11-01&to=2026-11-29"));
        QVERIFY(request.bearer == world.credential->first);
        world.http.answer(200, kAnswer);
        QVERIFY(world.told && world.told->has_value());
        const BrokerUsage& usage = **world.told;
        QCOMPARE(usage.sessions, 3);
        QCOMPARE(usage.figures.nanoDollars, 250'000'000);
        QCOMPARE(usage.reportedNanoDollars, 100'000'000);
        QCOMPARE(usage.figures.connected.count(), 150'000);
        QCOMPARE(usage.figures.turns, 7);
        QCOMPARE(usage.figures.unpriced, 1);
        QCOMPARE(usage.figures.tokens.allIn(), 43);
        QCOMPARE(usage.figures.tokens.allOut(), 60);
        QCOMPARE(usage.figures.transcription.tokens, 5);
    }

    void session_IsAskedForByItsName()
    {
        World world;
        UsageQuery query;
        query.broker = "https://voice.example";
        query.session = "voice_1&user=x";
        world.ask(query);
        QCOMPARE(world.http.sent.front().request.url,
            std::string("https://voice.example/api/voice/usage?session=voice_1%26user%3Dx"));
    }

    void credentialThatRanOut_IsRenewedOnce()
    {
        World world;
        world.askForNovember();
        world.http.answer(401, "{}");
        QCOMPARE(world.http.sent.size(), std::size_t{1});
        QVERIFY(world.http.sent.front().request.bearer == world.credential->second);
        QVERIFY(!world.told);
        world.http.answer(401, "{}");
        QVERIFY(world.http.sent.empty());
        QVERIFY(world.told && !world.told->has_value());
        QCOMPARE(world.told->error().code, ErrorCode::NotAuthorised);
    }

    void refusals_AreToldApart_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<int>("code");
        const auto row = [](const char* name, int status, const char* body, ErrorCode code) {
            QTest::newRow(name) << status << QByteArray(body) << static_cast<int>(code);
        };
        row("no right", 403, R"({"code":"insufficient_scope"})", ErrorCode::NotAuthorised);
        row("too often", 429, "{}", ErrorCode::RateLimited);
        row("no such page", 404, "<html>", ErrorCode::BrokerMalformed);
        row("older broker", 400, "{}", ErrorCode::BrokerMalformed);
        row("in trouble", 503, "{}", ErrorCode::BrokerFailed);
        row("no JSON", 200, "<html>", ErrorCode::BrokerMalformed);
        row("no object", 200, "[]", ErrorCode::BrokerMalformed);
        row("no tokens", 200, R"({"totalCost":1})", ErrorCode::BrokerMalformed);
        row("no money", 200, R"({"totalSessions":1,"totalMinutes":1,"tokens":{}})", ErrorCode::BrokerMalformed);
        row("negative", 200, R"({"totalSessions":-1,"tokens":{}})", ErrorCode::BrokerMalformed);
        row("endless", 200, R"({"totalSessions":1e300,"tokens":{}})", ErrorCode::BrokerMalformed);
    }
    void refusals_AreToldApart()
    {
        QFETCH(int, status);
        QFETCH(QByteArray, body);
        QFETCH(int, code);
        World world;
        world.credential->current = world.credential->second;
        world.askForNovember();
        world.http.answer(status, body.toStdString());
        QVERIFY(world.told && !world.told->has_value());
        QCOMPARE(static_cast<int>(world.told->error().code), code);
    }

    void brokerThatIsAway_IsToldAsSuch()
    {
        World world;
        world.askForNovember();
        world.http.answer(fail(ErrorCode::BrokerUnreachable, "away"));
        QCOMPARE(world.told->error().code, ErrorCode::BrokerUnreachable);
    }

    void end_LeavesNobodyWaiting()
    {
        World world;
        world.askForNovember();
        world.ledger.reset();
        QVERIFY(*world.http.sent.front().wasCancelled);
        QVERIFY(!world.told);
    }

    void comparison_SaysWhy()
    {
        using Agreement = UsageAgreement;
        const auto is = [](Agreement a, Agreement b) { return a == b; };
        QVERIFY(is(compare(figures(100, 50'000'000), figures(100, 50'000'000)), Agreement::Same));
        // Seconds of connection are counted at both ends.
        QVERIFY(is(compare(figures(100, 50'000'000), figures(100, 50'900'000)), Agreement::Same));
        QVERIFY(is(compare(figures(100, 5'000'000'000), figures(100, 5'040'000'000)), Agreement::Same));
        QVERIFY(is(compare(figures(100, 50'000'000), figures(100, 60'000'000)), Agreement::OtherPrices));
        QVERIFY(is(compare(figures(100, 50'000'000), figures(101, 50'000'000)), Agreement::BrokerHasMore));
        QVERIFY(is(compare(figures(100, 50'000'000), figures(99, 60'000'000)), Agreement::BrokerHasLess));
        // What came from a cache is a part, not more.
        UsageFigures cached = figures(60, 50'000'000);
        cached.tokens.cachedAudioIn = 40;
        QVERIFY(is(compare(cached, figures(100, 50'000'000)), Agreement::Same));
    }
};

QTEST_GUILESS_MAIN(BrokerLedgerTest)
#include "test_broker_ledger.moc"
