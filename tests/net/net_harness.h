#pragma once

#include "net/awaitable.h"
#include "net/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace vivavoce::tests {

/// An io_context that runs in a thread of its own while the test lives.
class NetThread {
public:
    NetThread() : m_work(m_io.get_executor()), m_thread([this] { m_io.run(); }) {}
    ~NetThread()
    {
        m_work.reset();
        m_io.stop();
        m_thread.join();
    }
    NetThread(const NetThread&) = delete;
    NetThread& operator=(const NetThread&) = delete;

    [[nodiscard]] boost::asio::io_context& io() { return m_io; }

    /// Runs a coroutine there and waits for its result; nothing after ten seconds.
    template <typename T>
    std::optional<T> run(net::Awaitable<T> task)
    {
        auto result = boost::asio::co_spawn(m_io, std::move(task), boost::asio::use_future);
        if (result.wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
            return std::nullopt;
        }
        return result.get();
    }

private:
    boost::asio::io_context m_io;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> m_work;
    std::thread m_thread;
};

/// A server of ours on a port of its own.
inline std::unique_ptr<net::Server> serve(NetThread& thread, net::Router router, net::ServerConfig config = {})
{
    auto server = net::Server::create({thread.io().get_executor()}, std::move(config), std::move(router));
    if (!server) {
        return nullptr;
    }
    (*server)->start();
    return std::move(*server);
}

/// Sends bytes as they are and reads until the other side closes, at most `patience`.
class RawClient {
public:
    explicit RawClient(std::uint16_t port) : m_socket(m_io)
    {
        m_socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
    }

    void send(const std::string& bytes)
    {
        boost::system::error_code ignored;
        boost::asio::write(m_socket, boost::asio::buffer(bytes), ignored);
    }
    std::string readToEnd(std::chrono::milliseconds patience = std::chrono::seconds(10))
    {
        std::string all;
        boost::asio::async_read(
            m_socket, boost::asio::dynamic_buffer(all), [](const boost::system::error_code&, std::size_t) {});
        m_io.restart();
        m_io.run_for(patience);
        return all;
    }
    /// The response to an upgrade, up to its empty line: only then may frames be sent.
    std::string readHead()
    {
        std::string head;
        boost::asio::async_read_until(m_socket, boost::asio::dynamic_buffer(head), "\r\n\r\n",
            [](const boost::system::error_code&, std::size_t) {});
        m_io.restart();
        m_io.run_for(std::chrono::seconds(10));
        return head;
    }
    boost::asio::ip::tcp::socket& socket() { return m_socket; }

private:
    boost::asio::io_context m_io;
    boost::asio::ip::tcp::socket m_socket;
};

/// The status of the first response in raw bytes; 0 for none.
inline int statusOf(const std::string& response)
{
    return response.rfind("HTTP/1.", 0) == 0 && response.size() > 12 ? std::stoi(response.substr(9, 3)) : 0;
}

} // namespace vivavoce::tests
