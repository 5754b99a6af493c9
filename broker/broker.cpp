#include "broker/broker.h"

#include "broker/audit/file_audit_trail.h"
#include "broker/auth/authenticator.h"
#include "broker/http/api.h"
#include "broker/limits/limit_store_factory.h"
#include "broker/metrics.h"
#include "broker/providers/openai_provider.h"
#include "broker/tokens/memory_session_registry.h"
#include "broker/tokens/token_service.h"
#include "net/http_client.h"
#include "net/server.h"
#include "net/task_group.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <utility>

namespace vivavoce::broker {
namespace {

namespace asio = boost::asio;

/// A successor is held for five seconds and at most this much longer.
constexpr core::Milliseconds kSweepEvery{1'000};
constexpr std::size_t kMaxBodyBytes = 64 * 1024;
/// What the server may add to its deadline while it cancels what is left.
constexpr core::Milliseconds kCancelling{1'000};

OpenAiProvider::Settings providerSettings(Config& config)
{
    OpenAiProvider::Settings settings;
    settings.name = config.providerName();
    settings.baseUrl = config.providerUrl;
    settings.defaultModel = config.providerModel;
    settings.apiKey = std::move(config.providerKey);
    settings.timeout = config.providerTimeout;
    settings.caFile = config.providerCaFile;
    return settings;
}

TokenService::Settings tokenSettings(const Config& config)
{
    TokenService::Settings settings;
    settings.life = config.tokenLife;
    return settings;
}

Gatekeeper::Settings gatekeeperSettings(const Config& config)
{
    Gatekeeper::Settings settings;
    settings.mint.bucket.maxRequests = config.mintsPerMinute;
    settings.session.bucket.maxRequests = config.mintsPerMinute;
    settings.refresh.bucket.maxRequests = config.refreshesPerMinute;
    for (DoorSettings* door : {&settings.mint, &settings.session, &settings.refresh}) {
        door->bucket.penalty.violations = config.violationsToBlock;
        door->bucket.penalty.firstBlock = config.blockDuration;
    }
    settings.address.maxRequests = config.strangersPerMinute;
    settings.maxSessionsPerUser = config.sessionsPerUser;
    return settings;
}

core::Expected<LimitStoreSettings, core::Error> limitStoreSettings(const Config& config)
{
    LimitStoreSettings settings;
    settings.outage = config.limitsDegrade ? OutagePolicy::DegradeToMemory : OutagePolicy::FailClosed;
    if (!config.redisUrl.empty()) {
        auto address = RedisAddress::parse(config.redisUrl.reveal());
        if (!address) {
            return core::Unexpected<core::Error>(address.error());
        }
        settings.redis.emplace();
        settings.redis->address = std::move(*address);
        settings.redis->key = config.secret.clone();
    }
    return settings;
}

core::Expected<std::unique_ptr<AuditTrail>, core::Error> auditOf(
    const Config& config, const core::Clock& clock, Log& log)
{
    if (config.isEmbedded) {
        return std::unique_ptr<AuditTrail>(std::make_unique<DiscardingAuditTrail>());
    }
    if (config.auditFolder.empty()) {
        return core::fail(core::ErrorCode::BadConfiguration, "audit.folder has to say where the audit is kept");
    }
    FileAuditTrail::Settings settings;
    settings.folder = config.auditFolder;
    auto trail = FileAuditTrail::create(settings, {clock, log});
    if (!trail) {
        return core::Unexpected<core::Error>(trail.error());
    }
    return std::unique_ptr<AuditTrail>(std::move(*trail));
}

std::vector<std::unique_ptr<auth::Issuer>> issuersOf(const Config& config, const core::Clock& clock, Log& log)
{
    std::vector<std::unique_ptr<auth::Issuer>> issuers;
    for (const auth::IssuerSettings& issuer : config.issuers) {
        issuers.push_back(
            std::make_unique<auth::Issuer>(issuer, auth::Issuer::Dependencies{&net::sendRequest, clock, log}));
    }
    return issuers;
}

/// A block begins or is lifted: the audit is told, and nobody waits for that.
AuditRecord recordOf(const BlockEvent& event)
{
    AuditRecord record;
    record.event = event.kind == BlockEvent::Kind::Blocked ? AuditEvent::Block : AuditEvent::Unblock;
    record.outcome = AuditOutcome::Done;
    record.why = event.bucket;
    record.peer = event.address;
    record.target = event.user;
    return record;
}

/// What the handlers work with.
/// Lifetime: shared with the handlers, some of which may be cut off only when the io_context goes.
struct Parts {
    Parts(Config& config, core::Secret credential, std::unique_ptr<LimitStore> limitStore,
        std::unique_ptr<AuditTrail> auditTrail, const core::Clock& clock, Log& log)
        : limits(std::move(limitStore)),
          audit(std::move(auditTrail)),
          registry({config.maxSessions}, clock),
          provider(providerSettings(config)),
          gatekeeper(gatekeeperSettings(config),
              {*limits, clock, log,
                  [this](const BlockEvent& event) { static_cast<void>(audit->append(recordOf(event))); }}),
          authenticator(
              std::move(credential), auth::ServiceAccounts(config.serviceAccounts), issuersOf(config, clock, log)),
          tokens(tokenSettings(config), {registry, provider, gatekeeper, *audit, clock, log}),
          entrance({authenticator, gatekeeper, *audit, log, config.trustedProxies})
    {
    }

    std::unique_ptr<LimitStore> limits;
    std::unique_ptr<AuditTrail> audit;
    MemorySessionRegistry registry;
    OpenAiProvider provider;
    Gatekeeper gatekeeper;
    auth::Authenticator authenticator;
    TokenService tokens;
    http::Entrance entrance;
    Metrics metrics;
};

class BrokerOnServer final : public Broker {
public:
    BrokerOnServer(std::shared_ptr<Parts> parts, Dependencies dependencies)
        : m_executor(dependencies.executor),
          m_log(dependencies.log),
          m_clock(dependencies.clock),
          m_parts(std::move(parts)),
          m_tasks(m_executor)
    {
    }

    core::Expected<void, core::Error> listen(const Config& config)
    {
        http::Api::Settings settings;
        settings.trustedProxies = config.trustedProxies;
        settings.allowedOrigins = config.allowedOrigins;
        settings.isAuditWorking = [parts = m_parts] { return parts->audit->isWorking(); };
        settings.connections = [this] { return m_server->connections(); };
        settings.isReady = [this] { return !m_isDraining; };
        const auto api = std::make_shared<http::Api>(std::move(settings),
            http::Api::Dependencies{m_parts->entrance, m_parts->authenticator, m_parts->gatekeeper, m_parts->tokens,
                m_parts->registry, m_clock, m_log, m_parts->metrics, m_parts});
        net::ServerConfig server;
        server.address = config.address;
        server.port = config.port;
        server.tls = {config.tlsCertificate, config.tlsKey};
        server.limits.maxBodyBytes = kMaxBodyBytes;
        auto made = net::Server::create(m_executor, std::move(server), api->routes());
        if (!made) {
            return core::Unexpected<core::Error>(made.error());
        }
        m_server = std::move(*made);
        return {};
    }

    void start() override
    {
        m_server->start();
        m_tasks.spawn(asio::make_strand(m_executor), sweepForEver());
    }

    [[nodiscard]] std::string url() const override { return m_server->url(); }

    net::Awaitable<> drain(core::Milliseconds deadline) override
    {
        m_isDraining = true;
        m_tasks.cancel();
        co_await m_server->drain(std::max(deadline - kCancelling, core::Milliseconds{0}));
        co_await m_tasks.join(kCancelling);
    }

private:
    net::Awaitable<> sweepForEver()
    {
        asio::steady_timer timer(co_await asio::this_coro::executor);
        while (true) {
            timer.expires_after(kSweepEvery);
            const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
            if (error) {
                co_return;
            }
            m_parts->registry.sweep();
        }
    }

    net::IoExecutor m_executor;
    Log& m_log;
    const core::Clock& m_clock;
    std::shared_ptr<Parts> m_parts;
    std::atomic<bool> m_isDraining{false};
    std::unique_ptr<net::Server> m_server;
    net::TaskGroup m_tasks;
};

} // namespace

core::Expected<std::unique_ptr<Broker>, core::Error> Broker::create(
    Config config, core::Secret credential, Dependencies dependencies)
{
    auto limits = limitStoreSettings(config);
    if (!limits) {
        return core::Unexpected<core::Error>(limits.error());
    }
    auto store = makeLimitStore(std::move(*limits), dependencies.clock, dependencies.log);
    if (!store) {
        return core::Unexpected<core::Error>(store.error());
    }
    auto audit = auditOf(config, dependencies.clock, dependencies.log);
    if (!audit) {
        return core::Unexpected<core::Error>(audit.error());
    }
    auto parts = std::make_shared<Parts>(
        config, std::move(credential), std::move(*store), std::move(*audit), dependencies.clock, dependencies.log);
    auto broker = std::make_unique<BrokerOnServer>(std::move(parts), dependencies);
    if (auto listening = broker->listen(config); !listening) {
        return core::Unexpected<core::Error>(listening.error());
    }
    return broker;
}

} // namespace vivavoce::broker
