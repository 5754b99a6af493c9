#include "net/server.h"

#include "net/internal/boost.h"
#include "net/internal/http_session.h"
#include "net/task_group.h"

#include <list>
#include <map>
#include <mutex>

namespace vivavoce::net {
namespace {

constexpr core::Milliseconds kAcceptPause{100};

/// The listener and what it has accepted. Shared with its coroutines, so that none outlives what it uses.
class Listener : public std::enable_shared_from_this<Listener> {
public:
    Listener(IoExecutor executor, std::shared_ptr<ServerCore> serverCore, tcp::acceptor acceptor)
        : m_core(std::move(serverCore)),
          m_executor(std::move(executor)),
          m_strand(acceptor.get_executor()),
          m_acceptor(std::move(acceptor)),
          m_port(m_acceptor.local_endpoint().port()),
          m_tasks(m_executor)
    {
    }

    void start() { m_tasks.spawn(m_strand, acceptLoop(shared_from_this())); }

    [[nodiscard]] std::uint16_t port() const { return m_port; }
    [[nodiscard]] const ServerCore& core() const { return *m_core; }

    [[nodiscard]] std::size_t connections() const
    {
        const std::lock_guard lock(m_mutex);
        return m_sessions.size();
    }

    /// Nothing new from here on.
    void stopAccepting()
    {
        m_core->isDraining = true;
        asio::post(m_strand, [self = shared_from_this()] {
            ErrorCode ignored;
            self->m_acceptor.close(ignored);
        });
    }

    Awaitable<> drain(core::Milliseconds deadline)
    {
        const auto self = shared_from_this();
        stopAccepting();
        std::list<std::shared_ptr<HttpSession>> sessions;
        {
            const std::lock_guard lock(m_mutex);
            sessions = m_sessions;
        }
        for (const auto& session : sessions) {
            asio::post(session->executor(), [session] { session->goAway(); });
        }
        sessions.clear();
        if (!co_await m_tasks.join(deadline)) {
            m_tasks.cancel();
            co_await m_tasks.join(core::Milliseconds{1000});
        }
    }

    void drop()
    {
        stopAccepting();
        m_tasks.cancel();
    }

private:
    static Awaitable<> acceptLoop(std::shared_ptr<Listener> self)
    {
        while (!self->m_core->isDraining) {
            auto [error, socket] = co_await self->m_acceptor.async_accept(asio::make_strand(self->m_executor), asTuple);
            if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) {
                co_return;
            }
            if (error) {
                // Out of descriptors or memory: trying again at once would only burn the processor.
                asio::steady_timer pause(self->m_strand, kAcceptPause);
                co_await pause.async_wait(asTuple);
                continue;
            }
            self->welcome(std::move(socket));
        }
    }

    void welcome(tcp::socket socket)
    {
        ErrorCode error;
        const std::string address = socket.remote_endpoint(error).address().to_string();
        if (error || !hasRoom(address)) {
            return;
        }
        const auto session = HttpSession::create(m_core, std::move(socket));
        {
            const std::lock_guard lock(m_mutex);
            m_sessions.push_back(session);
            ++m_perAddress[address];
        }
        m_tasks.spawn(session->executor(), serve(shared_from_this(), session, address));
    }

    static Awaitable<> serve(std::shared_ptr<Listener> self, std::shared_ptr<HttpSession> session, std::string address)
    {
        co_await session->run();
        const std::lock_guard lock(self->m_mutex);
        self->m_sessions.remove(session);
        if (--self->m_perAddress[address] == 0) {
            self->m_perAddress.erase(address);
        }
    }

    [[nodiscard]] bool hasRoom(const std::string& address) const
    {
        const std::lock_guard lock(m_mutex);
        const auto known = m_perAddress.find(address);
        return m_sessions.size() < m_core->config.limits.maxConnections
            && (known == m_perAddress.end() || known->second < m_core->config.limits.maxConnectionsPerAddress);
    }

    std::shared_ptr<ServerCore> m_core;
    IoExecutor m_executor;
    IoExecutor m_strand;
    tcp::acceptor m_acceptor;
    std::uint16_t m_port;
    mutable std::mutex m_mutex;
    std::list<std::shared_ptr<HttpSession>> m_sessions;
    std::map<std::string, std::size_t> m_perAddress;
    TaskGroup m_tasks;
};

class ServerOnSocket final : public Server {
public:
    explicit ServerOnSocket(std::shared_ptr<Listener> listener) : m_listener(std::move(listener)) {}
    ~ServerOnSocket() override { m_listener->drop(); }

    void start() override { m_listener->start(); }
    [[nodiscard]] std::uint16_t port() const override { return m_listener->port(); }
    [[nodiscard]] std::size_t connections() const override { return m_listener->connections(); }
    Awaitable<> drain(core::Milliseconds deadline) override { return m_listener->drain(deadline); }

    [[nodiscard]] std::string url() const override
    {
        const std::string& address = m_listener->core().config.address;
        const bool isV6 = address.find(':') != std::string::npos;
        return std::string(m_listener->core().tls != nullptr ? "https://" : "http://")
            + (isV6 ? "[" + address + "]" : address) + ":" + std::to_string(port());
    }

private:
    std::shared_ptr<Listener> m_listener;
};

core::Expected<tcp::acceptor, core::Error> listen(const IoExecutor& executor, const ServerConfig& config)
{
    using core::fail;
    ErrorCode error;
    const auto address = asio::ip::make_address(config.address, error);
    const std::string place = config.address + ":" + std::to_string(config.port);
    if (error) {
        return fail(core::ErrorCode::BadConfiguration, "not an address to listen on: " + config.address);
    }
    tcp::acceptor acceptor(asio::make_strand(executor));
    const tcp::endpoint endpoint(address, config.port);
    acceptor.open(endpoint.protocol(), error);
    if (!error) {
        acceptor.set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error) {
        acceptor.bind(endpoint, error);
    }
    if (!error) {
        acceptor.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error == asio::error::address_in_use) {
        return fail(core::ErrorCode::AlreadyRunning, "something already listens on " + place);
    }
    if (error) {
        return fail(core::ErrorCode::BadConfiguration, "cannot listen on " + place + ": " + error.message());
    }
    return acceptor;
}

} // namespace

core::Expected<std::unique_ptr<Server>, core::Error> Server::create(
    IoExecutor executor, ServerConfig config, Router router)
{
    auto serverCore = std::make_shared<ServerCore>();
    if (!config.tls.certificateChain.empty() || !config.tls.privateKey.empty()) {
        auto tls = makeServerTls(config.tls);
        if (!tls) {
            return core::Unexpected<core::Error>(tls.error());
        }
        serverCore->tls = std::move(*tls);
    }
    auto acceptor = listen(executor, config);
    if (!acceptor) {
        return core::Unexpected<core::Error>(acceptor.error());
    }
    serverCore->config = std::move(config);
    serverCore->router = std::move(router);
    return std::make_unique<ServerOnSocket>(
        std::make_shared<Listener>(std::move(executor), std::move(serverCore), std::move(*acceptor)));
}

} // namespace vivavoce::net
