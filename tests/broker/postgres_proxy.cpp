#include "tests/broker/postgres_proxy.h"
#include "net/timer.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace vivavoce::tests {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using net::asTuple;
using Local = asio::local::stream_protocol;
using Socket = asio::basic_stream_socket<tcp, net::IoExecutor>;
using Acceptor = asio::basic_socket_acceptor<tcp, net::IoExecutor>;
using LocalSocket = asio::basic_stream_socket<Local, net::IoExecutor>;

struct PostgresProxy::Listener {
    explicit Listener(const net::IoExecutor& executor)
        : acceptor(executor, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0))
    {
    }
    Acceptor acceptor;
};

struct PostgresProxy::Pair {
    explicit Pair(Socket accepted) : client(std::move(accepted)), server(client.get_executor()) {}
    void close()
    {
        boost::system::error_code ignored;
        client.close(ignored);
        server.close(ignored);
    }

    Socket client;
    LocalSocket server;
    /// What the server says goes nowhere any more.
    bool isMute = false;
    /// It waits for this.
    std::shared_ptr<broker::Flight> gate;
};

PostgresProxy::PostgresProxy(NetThreads& threads, std::string folder)
    : m_listener(std::make_shared<Listener>(threads.executor()))
{
    asio::co_spawn(m_listener->acceptor.get_executor(), accept(m_listener, m_state, std::move(folder)), asio::detached);
}

PostgresProxy::~PostgresProxy()
{
    asio::post(m_listener->acceptor.get_executor(), [listener = m_listener] { listener->acceptor.close(); });
}

std::string PostgresProxy::url() const
{
    return "postgresql://vivavoce@127.0.0.1:" + std::to_string(m_listener->acceptor.local_endpoint().port())
        + "/postgres?sslmode=disable&gssencmode=disable";
}

void PostgresProxy::holdNextCommit()
{
    m_state->gate = std::make_shared<broker::Flight>();
    m_state->holdsCommit = true;
}

void PostgresProxy::release()
{
    m_state->gate->land({});
}

net::Awaitable<> PostgresProxy::accept(
    std::shared_ptr<Listener> listener, std::shared_ptr<State> state, std::string folder)
{
    while (true) {
        auto [error, socket] = co_await listener->acceptor.async_accept(listener->acceptor.get_executor(), asTuple);
        if (error) {
            co_return;
        }
        // One thread for both ways: the acceptor's.
        const auto pair = std::make_shared<Pair>(std::move(socket));
        const auto [failed] = co_await pair->server.async_connect(Local::endpoint(folder + "/.s.PGSQL.5432"), asTuple);
        if (!failed) {
            asio::co_spawn(listener->acceptor.get_executor(), toServer(pair, state), asio::detached);
            asio::co_spawn(listener->acceptor.get_executor(), toClient(pair), asio::detached);
        }
    }
}

net::Awaitable<> PostgresProxy::toServer(std::shared_ptr<Pair> pair, std::shared_ptr<State> state)
{
    std::array<char, 16 * 1024> bytes{};
    while (true) {
        const auto [error, size] = co_await pair->client.async_read_some(asio::buffer(bytes), asTuple);
        if (error) {
            break;
        }
        const std::string_view text(bytes.data(), size);
        if (text.find("COMMIT") != std::string_view::npos) {
            if (state->holdsCommit.exchange(false)) {
                pair->gate = state->gate;
            }
            // Looked at again where the server's word for it comes.
            pair->isMute = state->losesCommit;
            if (pair->isMute) {
                co_await asio::async_write(pair->server, asio::buffer(bytes, size), asTuple);
                co_await pair->server.async_wait(Local::socket::wait_read, asTuple);
                pair->close();
                state->losesCommit = false;
                co_return;
            }
        }
        co_await asio::async_write(pair->server, asio::buffer(bytes, size), asTuple);
    }
    pair->close();
}

net::Awaitable<> PostgresProxy::toClient(std::shared_ptr<Pair> pair)
{
    std::array<char, 16 * 1024> bytes{};
    while (true) {
        const auto [failed] = co_await pair->server.async_wait(Local::socket::wait_read, asTuple);
        if (failed || pair->isMute) {
            co_return;
        }
        const auto [error, size] = co_await pair->server.async_read_some(asio::buffer(bytes), asTuple);
        if (error) {
            break;
        }
        if (pair->gate != nullptr) {
            const auto opened = co_await pair->gate->wait(std::chrono::seconds(20));
            static_cast<void>(opened);
            pair->gate.reset();
        }
        co_await asio::async_write(pair->client, asio::buffer(bytes, size), asTuple);
    }
    pair->close();
}

} // namespace vivavoce::tests
