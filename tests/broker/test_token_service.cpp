#include "broker/limits/memory_limit_store.h"
#include "broker/providers/openai_provider.h"
#include "broker/tokens/sql_session_registry.h"
#include "broker/tokens/token_service.h"
#include "tests/broker/fake_audit_trail.h"
#include "tests/broker/limits_harness.h"

#include <QTest>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

// Qt's word for nothing is the name of Asio's function.
#undef emit

using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::tests;

namespace {

namespace asio = boost::asio;

constexpr const char* kToken = "token-marker";

/// Whoever asks is called off while it answers, and has the answer all the same.
class Hook {
public:
    void arm(asio::cancellation_signal& signal) { m_signal = &signal; }
    void pull()
    {
        if (m_signal != nullptr) {
            m_signal->emit(asio::cancellation_type::terminal);
        }
    }

private:
    asio::cancellation_signal* m_signal = nullptr;
};

class HookedProjects final : public ProjectDirectory {
public:
    explicit HookedProjects(Hook& hook) : m_hook(hook) {}
    [[nodiscard]] net::Awaitable<Answer> admit(Applicant /*applicant*/, std::string /*project*/) override
    {
        m_hook.pull();
        co_return Policy();
    }

private:
    Hook& m_hook;
};

class HookedLimits final : public LimitStore {
public:
    HookedLimits(Hook& hook, const core::Clock& clock) : m_hook(hook), m_store({}, clock) {}
    [[nodiscard]] net::Awaitable<core::Expected<Decision, StoreDown>> take(
        const Bucket& bucket, LimitSubject subject) override
    {
        auto decision = co_await m_store.take(bucket, std::move(subject));
        m_hook.pull();
        co_return decision;
    }
    [[nodiscard]] net::Awaitable<core::Expected<Decision, StoreDown>> look(
        const Bucket& bucket, LimitSubject subject) override
    {
        return m_store.look(bucket, std::move(subject));
    }
    [[nodiscard]] net::Awaitable<core::Expected<std::vector<Block>, StoreDown>> blocks(std::size_t atMost) override
    {
        return m_store.blocks(atMost);
    }
    [[nodiscard]] net::Awaitable<core::Expected<bool, StoreDown>> lift(std::string offender) override
    {
        return m_store.lift(std::move(offender));
    }
    [[nodiscard]] StoreHealth health() const override { return m_store.health(); }

private:
    Hook& m_hook;
    MemoryLimitStore m_store;
};

auth::KeyRing someKeys()
{
    std::vector<auth::SigningKey> keys;
    keys.push_back(*auth::SigningKey::generate(auth::JoseAlgorithm::Es256));
    return std::move(*auth::KeyRing::create(std::move(keys)));
}

OpenAiProvider::Settings nobody()
{
    OpenAiProvider::Settings settings;
    settings.baseUrl = "http://127.0.0.1:1";
    settings.defaultModel = "gpt-realtime";
    return settings;
}

/// A user with one relayed session, whose tokens no provider is asked for.
struct World {
    World()
    {
        Database::Settings settings;
        settings.url = core::Secret("sqlite://:memory:");
        database = std::move(*Database::open(std::move(settings), log));
        registry.emplace(SqlSessionRegistry::Limits{}, *database, clock);
        ledger.emplace(usage::Ledger::Settings{}, usage::Ledger::Dependencies{*database, clock, log});
        TokenService::Settings service;
        service.baseUrl = [] { return std::string("https://voice.example"); };
        tokens.emplace(std::move(service),
            TokenService::Dependencies{*registry, providers, judge, gatekeeper, audit, hasher, sessionTokens, *ledger,
                rates, clock, log, metrics});
        client.caller.issuer = "https://login.example";
        client.caller.subject = "alice";
        SessionRecord record;
        record.id = "s1";
        record.transport = SessionTransport::Relay;
        record.caller = client.caller.key();
        record.project = "choir";
        record.model = "gpt-realtime";
        record.startedAt = clock.wallNow();
        record.endsAt = clock.wallNow() + std::chrono::minutes(15);
        const auto fault = finish(threads,
            registry->open(record, hasher.hash(kToken), clock.wallNow() + std::chrono::minutes(1), SessionCaps{}));
        if (fault) {
            qFatal("%s", fault->detail.c_str());
        }
    }
    ~World() { threads.stop(); }

    [[nodiscard]] net::Awaitable<TokenOutcome> renew(bool isResumed)
    {
        core::broker::TokenRequest request;
        request.resumeSessionId = "s1";
        return isResumed ? tokens->resume(client, std::move(request), SessionTransport::Relay)
                         : tokens->refresh(client, core::Secret(kToken), Idempotency());
    }
    /// False: it has come to its end.
    [[nodiscard]] bool isCalledOff(bool isResumed)
    {
        std::promise<bool> ended;
        const auto executor = threads.executor();
        const auto caller = [&]() -> net::Awaitable<> {
            // Boost 1.81 takes no cancellation from a coroutine that has not waited for anything yet.
            co_await asio::post(executor, net::useAwaitable);
            const auto outcome = co_await renew(isResumed);
            static_cast<void>(outcome);
        };
        asio::co_spawn(executor, caller,
            asio::bind_cancellation_slot(
                signal.slot(), [&](const std::exception_ptr& thrown) { ended.set_value(thrown != nullptr); }));
        return ended.get_future().get();
    }
    /// False: somebody has it.
    [[nodiscard]] bool claim()
    {
        const Renewal renewal = finish(threads, registry->claimByToken(hasher.hashes(kToken), {}));
        return std::holds_alternative<RenewalLead>(renewal);
    }

    SharedClock clock;
    CapturedLog log;
    Metrics metrics;
    FakeAuditTrail audit;
    TokenHasher hasher;
    SessionTokens sessionTokens{{"https://voice.example"}, someKeys()};
    OpenAiProvider provider{nobody()};
    WatchedProvider watched{{}, {provider, metrics, clock, log}};
    Providers providers{{&watched}, watched};
    asio::cancellation_signal signal;
    Hook projectsHook;
    Hook limitsHook;
    HookedProjects projects{projectsHook};
    HookedLimits limits{limitsHook, clock};
    PolicyJudge judge{PolicyBook({}, {}), false, projects};
    Gatekeeper gatekeeper{{}, {limits, clock, log, {}}};
    usage::RateCard rates = *usage::RateCard::load({});
    std::unique_ptr<Database> database;
    std::optional<SqlSessionRegistry> registry;
    std::optional<usage::Ledger> ledger;
    std::optional<TokenService> tokens;
    Client client;
    NetThreads threads;
};

} // namespace

class TestTokenService : public QObject {
    Q_OBJECT

private slots:
    /// Or nobody could renew that session for as long as a renewal may take.
    void renewal_ThatIsCalledOff_LeavesTheSessionFree_data()
    {
        QTest::addColumn<bool>("isResumed");
        QTest::addColumn<bool>("isAtTheProject");
        QTest::newRow("a refresh, while its project is asked") << false << true;
        QTest::newRow("a refresh, while the limits are asked") << false << false;
        QTest::newRow("a resumption, while the limits are asked") << true << false;
    }
    void renewal_ThatIsCalledOff_LeavesTheSessionFree()
    {
        QFETCH(bool, isResumed);
        QFETCH(bool, isAtTheProject);
        World world;
        (isAtTheProject ? world.projectsHook : world.limitsHook).arm(world.signal);
        QVERIFY(world.isCalledOff(isResumed));
        QVERIFY(QTest::qWaitFor([&] { return world.claim(); }));
    }

    void renewal_ThatIsNotCalledOff_ComesToItsEnd()
    {
        World world;
        QVERIFY(!world.isCalledOff(true));
        QCOMPARE(world.audit.records().size(), std::size_t{1});
    }
};

QTEST_GUILESS_MAIN(TestTokenService)
#include "test_token_service.moc"
