#include "broker/broker.h"

#include "broker/http/api.h"
#include "broker/metrics.h"
#include "broker/providers/openai_provider.h"
#include "broker/tokens/memory_session_registry.h"
#include "broker/tokens/token_service.h"
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
    settings.mint.maxRequests = config.mintsPerMinute;
    settings.refresh.maxRequests = config.refreshesPerMinute;
    settings.refresh.maxKeys = config.maxSessions;
    return settings;
}

/// What the handlers work with.
/// Lifetime: shared with the handlers, some of which may be cut off only when the io_context goes.
struct Parts {
    Parts(Config& config, const core::Clock& clock, Log& log)
        : registry({config.maxSessions}, clock),
          provider(providerSettings(config)),
          tokens(tokenSettings(config), {registry, provider, clock, log})
    {
    }

    MemorySessionRegistry registry;
    OpenAiProvider provider;
    TokenService tokens;
    Metrics metrics;
};

class BrokerOnServer final : public Broker {
public:
    BrokerOnServer(Config& config, Dependencies dependencies)
        : m_executor(dependencies.executor),
          m_log(dependencies.log),
          m_clock(dependencies.clock),
          m_parts(std::make_shared<Parts>(config, m_clock, m_log)),
          m_tasks(m_executor)
    {
    }

    core::Expected<void, core::Error> listen(const Config& config, core::Secret credential)
    {
        http::Api::Settings settings;
        settings.credential = std::move(credential);
        settings.trustedProxies = config.trustedProxies;
        settings.connections = [this] { return m_server->connections(); };
        settings.isReady = [this] { return !m_isDraining; };
        const auto api = std::make_shared<http::Api>(std::move(settings),
            http::Api::Dependencies{m_parts->tokens, m_parts->registry, m_clock, m_log, m_parts->metrics, m_parts});
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
    auto broker = std::make_unique<BrokerOnServer>(config, dependencies);
    if (auto listening = broker->listen(config, std::move(credential)); !listening) {
        return core::Unexpected<core::Error>(listening.error());
    }
    return broker;
}

} // namespace vivavoce::broker
