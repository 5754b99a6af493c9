#include "app/platform/qt_executor.h"
#include "app/platform/qt_http_client.h"
#include "app/platform/qt_websocket_transport.h"
#include "app/platform/sqlite_usage_book.h"
#include "core/base/json.h"
#include "core/session/usage_reporter.h"
#include "core/usage/broker_ledger.h"
#include "core/usage/usage_keeper.h"
#include "tests/broker/broker_process.h"
#include "tests/support/conversing_client.h"
#include "tests/support/wire/scripted_server.h"
#include "tests/support/wire/wait_for.h"

#include <nlohmann/json.hpp>

#include <QTemporaryDir>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

constexpr int kPatienceMs = 20'000;
constexpr const char* kTranscriber = "gpt-4o-transcribe";
/// For the broker alone: behind the relay the provider hears from nobody else.
constexpr const char* kKey = "the-brokers-own";

/// A client that counts, as the application puts it together, the real broker, and a provider that tells what it bills.
class World {
public:
    explicit World(bool isRelayed) : m_isRelayed(isRelayed)
    {
        m_provider.answer([this](const HttpClient::Request&, std::string_view) {
            m_secret = "ek_" + std::to_string(++m_mints);
            const auto now = std::chrono::floor<std::chrono::seconds>(m_clock.wallNow()).time_since_epoch();
            return HttpClient::Response{200, {}, Json({{"value", m_secret}, {"expires_at", now.count() + 60}}).dump()};
        });
        m_provider.admit([this](std::string_view token) { return token == (m_isRelayed ? kKey : m_secret); });
        m_broker.setProvider(m_provider.url());
        m_broker.setVariable("OPENAI_API_KEY", kKey);
        // A provider on this computer costs nothing, but for who names prices.
        m_broker.setTables("\n[usage]\nprices_file = \"" + qEnvironmentVariable("VV_SOURCE_DIR").toStdString()
            + "/resources/prices/prices.json\"\n" + (isRelayed ? "\n[policy]\nrelay = true\n" : ""));
    }

    [[nodiscard]] bool start()
    {
        if (!m_broker.start()) {
            return false;
        }
        const std::string url = "http://127.0.0.1:" + std::to_string(m_broker.port());
        const auto key = std::make_shared<const Secret>(m_broker.serviceKey());
        m_credential = std::make_shared<LiteralCredential>(key);
        keeper.emplace(UsageKeeper::Dependencies{book, m_clock, url, [](const Error&) {}});
        reporter.emplace(
            UsageReporter::Dependencies{m_http, m_clock, m_executor, url, m_credential, std::string(kTranscriber)});
        SessionOptions options;
        options.transcriptionModel = kTranscriber;
        client.emplace(ConversingClient::Dependencies{m_http, m_transports, m_clock, m_executor, url, key, options});
        client->listener = [this](const SessionNotice& notice) {
            keeper->told(notice);
            reporter->told(notice);
            if (const auto* token = std::get_if<session_notice::TokenChanged>(&notice); token != nullptr) {
                isRelay = token->isRelayed;
                query.session = token->sessionId;
            }
        };
        query.broker = url;
        client->start();
        return waitFor([this] { return client->isQuiet(); }, kPatienceMs);
    }

    [[nodiscard]] bool holds(int number, bool isSpoken)
    {
        isSpoken ? client->speak(number) : client->type(number);
        const bool isOver = waitFor([&] { return client->isAnswered(number) && client->isQuiet(); }, kPatienceMs);
        client->voice().fallSilent();
        return isOver;
    }

    /// Ends the conversation, and waits until the broker has heard all of it.
    [[nodiscard]] bool end()
    {
        client->stop();
        return waitFor([&] { return client->end().has_value() && reporter->isDone(); }, kPatienceMs);
    }

    [[nodiscard]] Expected<BrokerUsage, Error> ledger()
    {
        BrokerLedger ledger({m_http, m_credential});
        std::optional<Expected<BrokerUsage, Error>> answer;
        ledger.ask(query, [&](const Expected<BrokerUsage, Error>& told) { answer = told; });
        return waitFor([&] { return answer.has_value(); }, kPatienceMs)
            ? *answer
            : Expected<BrokerUsage, Error>(fail(ErrorCode::Timeout, "no answer"));
    }
    [[nodiscard]] UsageFigures here()
    {
        keeper.reset();
        const auto sums = book.sums(query);
        return sums && !sums->empty() ? sums->front().figures : UsageFigures{};
    }

private:
    bool m_isRelayed;
    QTemporaryDir m_folder;
    SystemClock m_clock;
    platform::QtExecutor m_executor;
    platform::QtHttpClient m_http;
    platform::QtWebSocketFactory m_transports;
    std::string m_secret;
    int m_mints = 0;
    ScriptedProviderLog m_log;
    ScriptedServer m_provider{m_executor, {}, m_log};
    BrokerProcess m_broker;
    std::shared_ptr<CredentialSource> m_credential;

public:
    bool isRelay = false;
    UsageQuery query;
    platform::SqliteUsageBook book{m_folder.path() + QStringLiteral("/usage")};
    std::optional<UsageKeeper> keeper;
    std::optional<UsageReporter> reporter;
    // Last: it goes first.
    std::optional<ConversingClient> client;
};

} // namespace

/// What a client has counted and what the broker has in its ledger, of the same conversation, each by what it saw itself.
class BooksAgreeTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void conversation_IsInBothBooks_ToTheToken_data()
    {
        QTest::addColumn<bool>("isRelayed");
        QTest::newRow("told by the client") << false;
        QTest::newRow("seen by the relay") << true;
    }
    void conversation_IsInBothBooks_ToTheToken()
    {
        QFETCH(const bool, isRelayed);
        World world(isRelayed);
        QVERIFY(world.start());
        QCOMPARE(world.isRelay, isRelayed);
        QVERIFY(world.holds(1, false));
        QVERIFY(world.holds(2, true));
        // A function is a response of its own.
        QVERIFY(world.holds(7, false));
        QVERIFY(world.end());

        const auto there = world.ledger();
        QVERIFY2(there, there ? "" : there.error().detail.c_str());
        const UsageFigures here = world.here();
        QCOMPARE(here.turns, 4);
        QCOMPARE(here.tokens.allIn(), 4 * 150);
        QCOMPARE(here.transcription.tokens, 20);
        QCOMPARE(here.unpriced, 0);
        QVERIFY(here.nanoDollars > 0);
        QVERIFY(there->figures.tokens == here.tokens);
        QCOMPARE(there->figures.transcription.tokens, here.transcription.tokens);
        QCOMPARE(there->figures.turns, here.turns);
        QCOMPARE(there->figures.unpriced, 0);
        QCOMPARE(there->figures.nanoDollars, here.nanoDollars);
        QCOMPARE(there->sessions, 1);
        QCOMPARE(there->reportedNanoDollars, isRelayed ? 0 : here.nanoDollars);
        QCOMPARE(compare(here, there->figures), UsageAgreement::Same);
    }

    void whatTheClientDidNotTell_IsNoticed()
    {
        World world(false);
        QVERIFY(world.start());
        QVERIFY(world.holds(1, false));
        QVERIFY(waitFor([&] { return world.reporter->isDone(); }, kPatienceMs));
        world.client->listener = [&](const SessionNotice& notice) { world.keeper->told(notice); };
        QVERIFY(world.holds(3, false));
        QVERIFY(world.end());
        const auto there = world.ledger();
        QVERIFY2(there, there ? "" : there.error().detail.c_str());
        QCOMPARE(compare(world.here(), there->figures), UsageAgreement::BrokerHasLess);
    }
};

QTEST_GUILESS_MAIN(BooksAgreeTest)
#include "test_books_agree.moc"
