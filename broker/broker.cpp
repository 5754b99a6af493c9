#include "broker/broker.h"

#include "broker/config_changes.h"
#include "broker/configured_parts.h"
#include "broker/http/api.h"
#include "broker/http/metrics_api.h"
#include "broker/relay/posted_streams.h"
#include "net/server.h"
#include "net/task_group.h"
#include "net/timer.h"

#include <nlohmann/json.hpp>

#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

namespace vivavoce::broker {
namespace {

namespace asio = boost::asio;

/// A successor is held for five seconds and at most this much longer.
constexpr core::Milliseconds kSweepEvery{1'000};
/// A session that was ended is heard of no more within a second.
constexpr core::Milliseconds kLookAtStreamsEvery{400};
/// What was said can be read that soon.
constexpr core::Milliseconds kTellTranscriptsEvery{250};
/// By the broker's own clock.
constexpr core::Milliseconds kForgetEvery{60'000};
constexpr std::size_t kMostScrapers = 16;
constexpr std::size_t kMaxBodyBytes = 64 * 1024;
/// What the server may add to its deadline while it cancels what is left.
constexpr core::Milliseconds kCancelling{1'000};
/// The process is over at its deadline: what was lost by then is told before.
constexpr core::Milliseconds kLeaving = kCancelling + core::Milliseconds{200};

net::TlsFiles tlsFiles(const Config& config)
{
    return {config.tlsCertificate, config.tlsKey};
}

AuditRecord recordOf(AuditEvent event, AuditOutcome outcome, const char* why)
{
    AuditRecord record;
    record.event = event;
    record.outcome = outcome;
    record.why = why;
    return record;
}

class BrokerOnServer final : public Broker {
public:
    BrokerOnServer(std::shared_ptr<LastingParts> lasting, Config config, core::Secret credential,
        std::vector<net::IoExecutor> executors)
        : m_executors(std::move(executors)),
          m_lasting(std::move(lasting)),
          m_config(std::move(config)),
          m_credential(std::move(credential)),
          m_postedStreams(std::make_shared<relay::PostedStreams>(m_executors.front(), relay::PostedClient::Limits{})),
          m_tasks(m_executors.front())
    {
    }

    core::Expected<void, core::Error> listen()
    {
        auto parts = makeConfiguredParts(m_lasting, m_config, m_credential, nullptr, {});
        if (!parts) {
            return core::Unexpected<core::Error>(parts.error());
        }
        m_parts = std::move(*parts);
        net::ServerConfig server;
        server.address = m_config.address;
        server.port = m_config.port;
        server.tls = tlsFiles(m_config);
        server.limits.maxBodyBytes = kMaxBodyBytes;
        server.limits.maxConnections = m_config.maxConnections;
        server.limits.maxConnectionsPerAddress = m_config.connectionsPerAddress;
        server.limits.uncappedAddresses = m_config.trustedProxies;
        auto made = net::Server::create(m_executors, std::move(server), routesOf(m_parts, m_config));
        if (!made) {
            return core::Unexpected<core::Error>(made.error());
        }
        m_server = std::move(*made);
        if (m_parts->baseUrl.empty()) {
            m_parts->baseUrl = m_server->url();
        }
        return listenForScrapes();
    }

    void start() override
    {
        // Taken in before any request's line; what keeps it from the disk keeps those from it, too.
        static_cast<void>(m_lasting->audit->append(recordOf(AuditEvent::Start, AuditOutcome::Done, "ok")));
        m_server->start();
        if (m_metricsServer != nullptr) {
            m_metricsServer->start();
            m_lasting->log.write(LogLevel::Info, "metrics.listening", {{"url", metricsUrl()}});
        }
        m_forgetAt = m_lasting->clock.now() + kForgetEvery;
        using Self = BrokerOnServer;
        m_tasks.spawn(m_executors.front(), forEver(kSweepEvery, "sweep", &Self::sweep));
        m_tasks.spawn(m_executors.front(), forEver(kSweepEvery, "probe", &Self::probe));
        m_tasks.spawn(m_executors.front(), forEver(kSweepEvery, "issuers", &Self::tendIssuers));
        m_tasks.spawn(m_executors.front(), forEver(kLookAtStreamsEvery, "streams", &Self::lookAtStreams));
        m_tasks.spawn(m_executors.front(), forEver(kSweepEvery, "ledger", &Self::tellLedger));
        m_tasks.spawn(m_executors.front(), forEver(kTellTranscriptsEvery, "transcripts", &Self::tellTranscripts));
        m_tasks.spawn(m_executors.front(), forEver(kSweepEvery, "forgetting", &Self::forgetTranscripts));
        if (!m_config.isEmbedded) {
            // Whoever started an embedded one is the operator, and is told by its window.
            m_lasting->alertDesk.start(m_executors.front());
            m_tasks.spawn(m_executors.front(), forEver(kSweepEvery, "alerts", &Self::lookForAlerts));
        }
    }

    [[nodiscard]] std::string url() const override { return m_server->url(); }
    [[nodiscard]] std::string metricsUrl() const override
    {
        return m_metricsServer == nullptr ? std::string() : m_metricsServer->url() + http::kMetricsPath;
    }

    net::Awaitable<core::Expected<void, core::Error>> reload(core::Expected<Config, core::Error> wanted) override
    {
        if (m_isDraining) {
            co_return core::fail(core::ErrorCode::Cancelled, "the broker is going down");
        }
        auto taken = co_await take(std::move(wanted));
        if (!taken) {
            m_lasting->log.write(LogLevel::Error, "config.reload_failed", {{"reason", taken.error().detail}});
        }
        co_return taken;
    }

    net::Awaitable<> drain(core::Milliseconds deadline) override
    {
        m_isDraining = true;
        // What hangs is left behind then, also where this coroutine does not get that far.
        const auto end = std::chrono::steady_clock::now() + deadline + kCancelling;
        m_lasting->audit->closeBy(end);
        m_lasting->database->closeBy(end);
        m_tasks.cancel();
        m_postedStreams->goAway();
        co_await m_server->drain(std::max(deadline - kCancelling, core::Milliseconds{0}));
        co_await m_postedStreams->join(kCancelling);
        co_await m_tasks.join(kCancelling);
        if (m_metricsServer != nullptr) {
            co_await m_metricsServer->drain(core::Milliseconds{0});
        }
        co_await m_lasting->alertDesk.stop(kCancelling);
        co_await m_lasting->ledger.flush();
        m_lasting->denials.tellAll();
        co_await m_lasting->ender.endOwed();
        co_await m_lasting->ender.tellOwed();
        const auto told = co_await m_lasting->audit->append(recordOf(AuditEvent::Stop, AuditOutcome::Done, "ok"));
        static_cast<void>(told);
        // Last: it may have to wait for whoever says what may be kept, and nothing else does for it.
        const auto left = std::chrono::floor<core::Milliseconds>(end - kLeaving - std::chrono::steady_clock::now());
        auto asked = keeping();
        co_await m_lasting->transcriptDesk.flush(std::move(asked), std::max(left, core::Milliseconds{0}));
    }

private:
    [[nodiscard]] std::shared_ptr<ConfiguredParts> present() const
    {
        const std::lock_guard lock(m_mutex);
        return m_parts;
    }

    [[nodiscard]] Readings readings() const
    {
        Readings now = present()->readings();
        now.connections = m_server->connections();
        return now;
    }

    [[nodiscard]] std::string scrape() const { return m_lasting->metrics.scrape(readings()); }

    /// Nothing where no audit is kept.
    std::shared_ptr<admin::AuditDesk> auditDeskOf(const Config& config)
    {
        if (m_auditDesk == nullptr && !config.isEmbedded) {
            m_auditDesk = std::make_shared<admin::AuditDesk>(config.auditFolder);
        }
        return m_auditDesk;
    }

    std::shared_ptr<admin::Dashboard> dashboardOf(const std::shared_ptr<ConfiguredParts>& parts, const Config& config)
    {
        admin::Overview::Dependencies overview{m_lasting->metrics, parts->providers, m_lasting->ledger,
            m_lasting->clock, m_lasting->started, [this] { return readings(); }, parts->table != nullptr,
            auditDeskOf(config) != nullptr};
        return std::make_shared<admin::Dashboard>(
            admin::Dashboard::Dependencies{parts->entrance, parts->authenticator, *m_lasting->database,
                m_lasting->clock, parts->table, PolicyBook(config.policy, config.policies),
                [this] { return !m_isDraining; }, parts},
            std::move(overview));
    }

    core::Expected<void, core::Error> listenForScrapes()
    {
        if (m_config.metricsAddress.empty()) {
            return {};
        }
        net::ServerConfig server;
        server.address = m_config.metricsAddress;
        server.port = m_config.metricsPort;
        server.limits.maxConnections = kMostScrapers;
        auto made = net::Server::create(
            {m_executors.front()}, std::move(server), http::openMetricsRoutes([this] { return scrape(); }));
        if (!made) {
            return core::Unexpected<core::Error>(made.error());
        }
        m_metricsServer = std::move(*made);
        return {};
    }

    net::Router routesOf(const std::shared_ptr<ConfiguredParts>& parts, const Config& config)
    {
        http::Api::Settings settings;
        settings.trustedProxies = config.trustedProxies;
        settings.allowedOrigins = config.allowedOrigins;
        settings.relay.messagesPerMinute = config.relayMessagesPerMinute;
        settings.relay.audioPerMinute = config.relayAudioPerMinute;
        settings.started = m_lasting->started;
        settings.isAuditWorking = [lasting = m_lasting] { return lasting->audit->isWorking(); };
        settings.connections = [this] { return m_server->connections(); };
        settings.isReady = [this] { return !m_isDraining; };
        settings.scrape = [this] { return scrape(); };
        settings.publicUrl = config.publicUrl;
        settings.reports.invoices = config.invoices;
        settings.reports.ledgerKept = config.usageKept;
        settings.baseUrl = [parts] { return parts->baseUrl; };
        settings.dashboard = dashboardOf(parts, config);
        settings.audit = std::make_shared<admin::AuditApi>(
            admin::AuditApi::Dependencies{parts->entrance, m_lasting->clock, auditDeskOf(config), parts});
        const auto api = std::make_shared<http::Api>(std::move(settings),
            http::Api::Dependencies{parts->entrance, parts->authenticator, m_lasting->gatekeeper, parts->tokens,
                m_lasting->ender, parts->providers, m_lasting->registry, parts->sessionTokens, parts->door,
                m_lasting->streams, m_lasting->ledger, m_lasting->transcriptDesk, parts->rates, m_lasting->alertBook,
                m_postedStreams, *parts->projects, parts->table, *m_lasting->database, *m_lasting->audit,
                m_lasting->clock, m_lasting->log, m_lasting->metrics, m_lasting->workshop, parts});
        return api->routes();
    }

    /// All of a configuration, or nothing of it.
    net::Awaitable<core::Expected<void, core::Error>> take(core::Expected<Config, core::Error> wanted)
    {
        if (!wanted) {
            auto refused = co_await tellOfFailure(std::move(wanted.error()), {});
            co_return core::Unexpected<core::Error>(std::move(refused));
        }
        const std::string changed = listed(changedKeys(m_config, *wanted));
        const std::string kept = listed(keepUntilRestart(m_config, *wanted));
        auto parts = makeConfiguredParts(m_lasting, *wanted, m_credential, m_parts.get(), m_server->url());
        if (!parts) {
            auto refused = co_await tellOfFailure(std::move(parts.error()), changed);
            co_return core::Unexpected<core::Error>(std::move(refused));
        }
        if (auto greets = net::checkTls(tlsFiles(*wanted)); !greets) {
            auto refused = co_await tellOfFailure(std::move(greets.error()), changed);
            co_return core::Unexpected<core::Error>(std::move(refused));
        }
        AuditRecord change = recordOf(AuditEvent::ConfigurationChange, AuditOutcome::Done, "operator");
        change.target = changed;
        const auto stored = co_await m_lasting->audit->append(std::move(change));
        if (!stored) {
            co_return core::fail(core::ErrorCode::OutputUnwritable, "the audit trail cannot be written");
        }
        auto replaced = m_server->replace(routesOf(*parts, *wanted), tlsFiles(*wanted), wanted->trustedProxies);
        if (!replaced) {
            auto refused = co_await tellOfFailure(std::move(replaced.error()), changed);
            co_return core::Unexpected<core::Error>(std::move(refused));
        }
        m_lasting->gatekeeper.reconfigure(gatekeeperSettings(*wanted));
        m_lasting->registry.setClaimWindow(claimWindow(*wanted));
        m_lasting->alertDesk.reconfigure(wanted->alerts);
        m_lasting->transcriptDesk.setKept(wanted->transcriptsKept);
        {
            const std::lock_guard lock(m_mutex);
            m_parts = std::move(*parts);
        }
        m_config = std::move(*wanted);
        m_lasting->log.write(LogLevel::Info, "config.reloaded", {{"changed", changed}});
        if (!kept.empty()) {
            m_lasting->log.write(LogLevel::Warning, "config.restart_needed", {{"keys", kept}});
        }
        co_return core::Expected<void, core::Error>();
    }

    net::Awaitable<core::Error> tellOfFailure(core::Error error, std::string changed)
    {
        AuditRecord failure = recordOf(AuditEvent::ConfigurationChange, AuditOutcome::Failed, "bad_configuration");
        failure.target = std::move(changed);
        // Nothing has an effect that could wait for it.
        const auto stored = co_await m_lasting->audit->append(std::move(failure));
        static_cast<void>(stored);
        co_return error;
    }

    using Turn = net::Awaitable<> (BrokerOnServer::*)();

    /// Whatever a turn throws is told, and the next one comes all the same.
    net::Awaitable<> forEver(core::Milliseconds pause, const char* task, Turn turn)
    {
        net::Timer timer(co_await asio::this_coro::executor);
        while (true) {
            timer.expires_after(pause);
            const auto [error] = co_await timer.async_wait(net::asTuple);
            if (error) {
                co_return;
            }
            bool hasFailed = false;
            try {
                co_await (this->*turn)();
            } catch (...) {
                hasFailed = true;
            }
            if (hasFailed && !m_isDraining) {
                tellOfFailedTurn(task);
            }
        }
    }

    void tellOfFailedTurn(const char* task) noexcept
    {
        try {
            m_lasting->log.write(LogLevel::Error, "task.failed", {{"task", task}});
        } catch (...) {
            // Then it is the log that fails, and nobody can be told.
        }
    }

    /// Apart from the sweep, which does not wait for anybody's provider.
    net::Awaitable<> probe()
    {
        const auto parts = present();
        co_await parts->providers.probeIfDue();
    }

    /// So that nobody's first request has to wait for the keys, or is refused them.
    net::Awaitable<> tendIssuers()
    {
        const auto parts = present();
        co_await parts->authenticator.tend();
    }

    net::Awaitable<> sweep()
    {
        co_await m_lasting->registry.sweep();
        m_lasting->denials.tellDue();
        co_await m_lasting->ender.endOwed();
        co_await m_lasting->ender.tellOwed();
    }

    net::Awaitable<> lookAtStreams() { co_await m_lasting->streams.look(m_lasting->registry, m_lasting->clock); }

    [[nodiscard]] transcripts::TranscriptDesk::Keeping keeping() const
    {
        const auto parts = present();
        return {[parts](std::shared_ptr<const transcripts::Conversation> of) { return parts->mayKeep(std::move(of)); },
            parts->table != nullptr};
    }

    net::Awaitable<> tellTranscripts() { co_await m_lasting->transcriptDesk.tell(keeping()); }

    net::Awaitable<> forgetTranscripts()
    {
        const core::MonotonicTime now = m_lasting->clock.now();
        if (now < m_forgetAt) {
            co_return;
        }
        m_forgetAt = now + kForgetEvery;
        co_await m_lasting->transcriptDesk.forget();
    }

    net::Awaitable<> lookForAlerts()
    {
        const auto parts = present();
        alerts::Observed observed =
            observedFor(*m_lasting, parts->providers.states(m_lasting->alertDesk.hasChannels()));
        co_await m_lasting->alertDesk.turn(std::move(observed));
    }

    /// Apart from the look, which waits for no ledger.
    net::Awaitable<> tellLedger()
    {
        co_await m_lasting->streams.tell(m_lasting->ledger);
        const auto over = co_await m_lasting->ledger.tend();
        m_lasting->streams.endSpent(over);
    }

    const std::vector<net::IoExecutor> m_executors;
    const std::shared_ptr<LastingParts> m_lasting;
    /// What runs. Touched by listen and by one reload at a time.
    Config m_config;
    const core::Secret m_credential;
    const std::shared_ptr<relay::PostedStreams> m_postedStreams;
    /// Nothing where no audit is kept.
    std::shared_ptr<admin::AuditDesk> m_auditDesk;
    mutable std::mutex m_mutex;
    /// Replaced under the mutex.
    std::shared_ptr<ConfiguredParts> m_parts;
    std::atomic<bool> m_isDraining{false};
    /// Of the task that forgets transcripts.
    core::MonotonicTime m_forgetAt{};
    std::unique_ptr<net::Server> m_server;
    std::unique_ptr<net::Server> m_metricsServer;
    net::TaskGroup m_tasks;
};

} // namespace

core::Expected<std::unique_ptr<Broker>, core::Error> Broker::create(
    Config config, core::Secret credential, Dependencies dependencies)
{
    if (!config.isEmbedded && config.secret.empty()) {
        return core::fail(core::ErrorCode::BadConfiguration,
            "secret is needed: tokens are known by hashes made with it, which have to be the same after a restart");
    }
    auto lasting = makeLastingParts(config, dependencies.clock, dependencies.log);
    if (!lasting) {
        return core::Unexpected<core::Error>(lasting.error());
    }
    auto broker = std::make_unique<BrokerOnServer>(
        std::move(*lasting), std::move(config), std::move(credential), std::move(dependencies.executors));
    if (auto listening = broker->listen(); !listening) {
        return core::Unexpected<core::Error>(listening.error());
    }
    return broker;
}

} // namespace vivavoce::broker
