#include "net/server.h"

#include "net/internal/boost.h"
#include "net/internal/http_session.h"
#include "net/task_group.h"
#include "net/timer.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace vivavoce::net {
namespace {

constexpr core::Milliseconds kAcceptPause{100};
/// For what does not end although its connection was dropped.
constexpr core::Milliseconds kDropPatience{1000};

/// Nothing for plain HTTP.
core::Expected<std::shared_ptr<ssl::context>, core::Error> tlsOf(const TlsFiles& files)
{
    if (files.certificateChain.empty() && files.privateKey.empty()) {
        return std::shared_ptr<ssl::context>();
    }
    return makeServerTls(files);
}

/// What is no address is nobody's.
std::vector<asio::ip::address> addressesOf(const std::vector<std::string>& texts)
{
    std::vector<asio::ip::address> addresses;
    for (const std::string& text : texts) {
        ErrorCode error;
        const auto address = asio::ip::make_address(text, error);
        if (!error) {
            addresses.push_back(plainAddress(address));
        }
    }
    return addresses;
}

/// The listener and its sessions.
/// Threads: accepts on the first executor; the mutex guards the list of sessions. Lifetime: shared with the coroutines, so that
/// what still runs when the server is destroyed has something to stand on.
class Listener : public std::enable_shared_from_this<Listener> {
public:
    Listener(std::vector<IoExecutor> executors, std::shared_ptr<ServerCore> serverCore, TcpAcceptor acceptor)
        : m_core(std::move(serverCore)),
          m_executors(std::move(executors)),
          m_acceptor(std::move(acceptor)),
          m_port(m_acceptor.local_endpoint().port()),
          m_uncapped(addressesOf(m_core->config.limits.uncappedAddresses)),
          m_tasks(m_executors.front())
    {
    }

    void start() { m_tasks.spawn(m_acceptor.get_executor(), acceptLoop(shared_from_this())); }

    [[nodiscard]] std::uint16_t port() const { return m_port; }

    [[nodiscard]] std::string url() const
    {
        const std::string& address = m_core->config.address;
        const bool isV6 = address.find(':') != std::string::npos;
        return std::string(m_core->face.tls() != nullptr ? "https://" : "http://")
            + (isV6 ? "[" + address + "]" : address) + ":" + std::to_string(m_port);
    }

    [[nodiscard]] std::size_t connections() const
    {
        const std::lock_guard lock(m_mutex);
        return m_sessions.size();
    }

    core::Expected<void, core::Error> replace(
        Router router, const TlsFiles& files, const std::vector<std::string>& uncappedAddresses)
    {
        auto tls = tlsOf(files);
        if (!tls) {
            return core::Unexpected<core::Error>(tls.error());
        }
        if ((*tls == nullptr) != (m_core->face.tls() == nullptr)) {
            return core::fail(
                core::ErrorCode::BadConfiguration, "a server that runs cannot change between http and https");
        }
        m_core->face.replace(std::make_shared<const Router>(std::move(router)), std::move(*tls));
        auto uncapped = addressesOf(uncappedAddresses);
        const std::lock_guard lock(m_mutex);
        m_uncapped.swap(uncapped);
        return {};
    }

    static Awaitable<> drain(std::shared_ptr<Listener> self, core::Milliseconds deadline)
    {
        self->stopAccepting();
        self->tellAll(&HttpSession::goAway);
        const bool haveAllEnded = co_await self->m_tasks.join(deadline);
        if (!haveAllEnded) {
            self->abandon();
            co_await self->m_tasks.join(kDropPatience);
        }
    }

    void abandon()
    {
        stopAccepting();
        m_tasks.cancel();
        tellAll(&HttpSession::drop);
    }

private:
    using Sessions = std::set<std::shared_ptr<HttpSession>>;

    void stopAccepting()
    {
        m_core->isDraining = true;
        asio::post(m_acceptor.get_executor(), [self = shared_from_this()] {
            ErrorCode ignored;
            self->m_acceptor.close(ignored);
        });
    }

    void tellAll(void (HttpSession::*what)())
    {
        std::vector<std::shared_ptr<HttpSession>> sessions;
        {
            const std::lock_guard lock(m_mutex);
            sessions.assign(m_sessions.begin(), m_sessions.end());
        }
        for (auto& session : sessions) {
            // Whoever is the last to hold one is on its thread.
            const IoExecutor executor = session->executor();
            asio::post(executor, [session = std::move(session), what] { ((*session).*what)(); });
        }
    }

    static Awaitable<> acceptLoop(std::shared_ptr<Listener> self)
    {
        while (!self->m_core->isDraining) {
            const std::size_t lane = self->leastBusy();
            auto [error, socket] = co_await self->m_acceptor.async_accept(self->m_executors[lane], asTuple);
            if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) {
                co_return;
            }
            if (error || !self->welcome(std::move(socket), lane)) {
                // Out of descriptors or memory: trying again at once would only burn the processor.
                Timer pause(self->m_acceptor.get_executor(), kAcceptPause);
                co_await pause.async_wait(asTuple);
            }
        }
    }

    /// One of the places, and who has it. Given back when it goes, however that comes.
    class Place {
    public:
        Place(std::shared_ptr<Listener> listener, std::shared_ptr<HttpSession> session, asio::ip::address network,
            std::size_t lane)
            : m_listener(std::move(listener)),
              m_session(std::move(session)),
              m_network(std::move(network)),
              m_lane(lane)
        {
            const std::lock_guard lock(m_listener->m_mutex);
            // What may throw comes first; a count of nobody is no harm.
            std::size_t& count = m_listener->m_perNetwork[m_network];
            m_listener->m_sessions.insert(m_session);
            ++count;
            ++m_listener->m_perLane[m_lane];
        }
        ~Place()
        {
            const std::lock_guard lock(m_listener->m_mutex);
            m_listener->m_sessions.erase(m_session);
            --m_listener->m_perLane[m_lane];
            const auto count = m_listener->m_perNetwork.find(m_network);
            if (--count->second == 0) {
                m_listener->m_perNetwork.erase(count);
            }
        }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        [[nodiscard]] HttpSession& session() const { return *m_session; }

    private:
        const std::shared_ptr<Listener> m_listener;
        const std::shared_ptr<HttpSession> m_session;
        const asio::ip::address m_network;
        const std::size_t m_lane;
    };

    /// Of the executors. Not one after the other: where each stream is begun by a short request, all of them would be on one.
    [[nodiscard]] std::size_t leastBusy() const
    {
        const std::lock_guard lock(m_mutex);
        return static_cast<std::size_t>(std::min_element(m_perLane.begin(), m_perLane.end()) - m_perLane.begin());
    }

    /// False: out of memory. A connection too many is closed without a word.
    bool welcome(TcpSocket socket, std::size_t lane)
    {
        try {
            ErrorCode error;
            const tcp::endpoint remote = socket.remote_endpoint(error);
            if (error || !hasRoom(remote.address())) {
                return true;
            }
            auto session = HttpSession::create(m_core, std::move(socket), remote);
            auto place =
                std::make_unique<Place>(shared_from_this(), std::move(session), networkOf(remote.address()), lane);
            // A refused task gives its place back.
            static_cast<void>(m_tasks.spawn(m_executors[lane], serve(std::move(place))));
            return true;
        } catch (const std::exception&) {
            return false;
        }
    }

    static Awaitable<> serve(std::unique_ptr<Place> place)
    {
        try {
            co_await place->session().run();
        } catch (...) {
            // Cancelled before it began.
        }
        place.reset();
    }

    [[nodiscard]] bool hasRoom(const asio::ip::address& address) const
    {
        const std::lock_guard lock(m_mutex);
        const ServerLimits& limits = m_core->config.limits;
        const auto known = m_perNetwork.find(networkOf(address));
        const bool isProxy = std::find(m_uncapped.begin(), m_uncapped.end(), plainAddress(address)) != m_uncapped.end();
        return m_sessions.size() < limits.maxConnections
            && (isProxy || known == m_perNetwork.end() || known->second < limits.maxConnectionsPerAddress);
    }

    std::shared_ptr<ServerCore> m_core;
    const std::vector<IoExecutor> m_executors;
    TcpAcceptor m_acceptor;
    std::uint16_t m_port;
    mutable std::mutex m_mutex;
    Sessions m_sessions;
    std::map<asio::ip::address, std::size_t> m_perNetwork;
    std::vector<asio::ip::address> m_uncapped;
    /// Sessions of each executor.
    std::vector<std::size_t> m_perLane = std::vector<std::size_t>(m_executors.size());
    TaskGroup m_tasks;
};

class ServerOnSocket final : public Server {
public:
    explicit ServerOnSocket(std::shared_ptr<Listener> listener) : m_listener(std::move(listener)) {}
    ~ServerOnSocket() override { m_listener->abandon(); }
    ServerOnSocket(const ServerOnSocket&) = delete;
    ServerOnSocket& operator=(const ServerOnSocket&) = delete;

    void start() override { m_listener->start(); }
    [[nodiscard]] std::uint16_t port() const override { return m_listener->port(); }
    [[nodiscard]] std::string url() const override { return m_listener->url(); }
    [[nodiscard]] std::size_t connections() const override { return m_listener->connections(); }
    core::Expected<void, core::Error> replace(
        Router router, const TlsFiles& tls, const std::vector<std::string>& uncappedAddresses) override
    {
        return m_listener->replace(std::move(router), tls, uncappedAddresses);
    }
    Awaitable<> drain(core::Milliseconds deadline) override { return Listener::drain(m_listener, deadline); }

private:
    std::shared_ptr<Listener> m_listener;
};

core::Expected<TcpAcceptor, core::Error> listen(const IoExecutor& executor, const ServerConfig& config)
{
    using core::fail;
    ErrorCode error;
    const auto address = asio::ip::make_address(config.address, error);
    const std::string place = config.address + ":" + std::to_string(config.port);
    if (error) {
        return fail(core::ErrorCode::BadConfiguration, "not an address to listen on: " + config.address);
    }
    TcpAcceptor acceptor(executor);
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

core::Expected<void, core::Error> checkTls(const TlsFiles& files)
{
    const auto tls = tlsOf(files);
    return tls ? core::Expected<void, core::Error>() : core::Unexpected<core::Error>(tls.error());
}

core::Expected<std::unique_ptr<Server>, core::Error> Server::create(
    std::vector<IoExecutor> executors, ServerConfig config, Router router)
{
    if (executors.empty()) {
        return core::fail(core::ErrorCode::BadConfiguration, "a server needs an executor");
    }
    auto tls = tlsOf(config.tls);
    if (!tls) {
        return core::Unexpected<core::Error>(tls.error());
    }
    auto acceptor = listen(executors.front(), config);
    if (!acceptor) {
        return core::Unexpected<core::Error>(acceptor.error());
    }
    auto serverCore = std::make_shared<ServerCore>(std::move(config));
    serverCore->face.replace(std::make_shared<const Router>(std::move(router)), std::move(*tls));
    return std::make_unique<ServerOnSocket>(
        std::make_shared<Listener>(std::move(executors), std::move(serverCore), std::move(*acceptor)));
}

} // namespace vivavoce::net
