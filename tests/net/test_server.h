#pragma once

#include "net/http_client.h"
#include "net/server.h"
#include "net/websocket_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace vivavoce::net::test {

inline constexpr std::chrono::seconds kTestPatience{20};

/// A context on two threads, as the broker has it, so that races have a chance.
class Loop {
public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    [[nodiscard]] IoExecutor executor() { return m_io.get_executor(); }

    /// Runs `task` on a strand of its own and waits for its result.
    template <typename T>
    T run(Awaitable<T> task)
    {
        auto result = boost::asio::co_spawn(boost::asio::make_strand(m_io), std::move(task), boost::asio::use_future);
        return finished(result);
    }

    /// The result of something that runs elsewhere; throws after the patience of a test.
    template <typename T>
    static T finished(std::future<T>& result)
    {
        if (result.wait_for(kTestPatience) != std::future_status::ready) {
            throw std::runtime_error("a test waited in vain");
        }
        return result.get();
    }

private:
    boost::asio::io_context m_io;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> m_work;
    std::thread m_one;
    std::thread m_two;
};

/// A server on a port of its own, with the router of a test.
class TestServer {
public:
    explicit TestServer(Router router, ServerLimits limits = {}, TlsFiles tls = {});

    [[nodiscard]] std::uint16_t port() const { return m_server->port(); }
    [[nodiscard]] std::string url(std::string_view path) const { return m_server->url() + std::string(path); }
    /// ws:// or wss://.
    [[nodiscard]] std::string socketUrl(std::string_view path) const
    {
        return "ws" + m_server->url().substr(4) + std::string(path);
    }
    [[nodiscard]] Loop& loop() { return m_loop; }
    [[nodiscard]] Server& server() { return *m_server; }
    /// As if it were destroyed by its owner, while the context goes on.
    void destroy() { m_server.reset(); }

private:
    Loop m_loop;
    std::unique_ptr<Server> m_server;
};

/// Answers "method path?query body" at GET and POST /echo.
Router echoRouter();
/// Sends each message of a WebSocket at /socket back.
void addEchoSocket(Router& router, std::size_t maxMessageBytes = 1 << 20);

/// Adds a handler that takes no part in coroutines.
void addPlain(
    Router& router, std::string method, std::string path, std::function<HttpResponse(const HttpRequest&)> handler);

/// A WebSocket route at /socket.
void addSocket(
    Router& router, std::function<Awaitable<>(WebSocketSession&)> run, std::size_t maxMessageBytes = 1 << 20);

/// Ends by itself after that time, or when cancelled.
Awaitable<> after(core::Milliseconds time);

} // namespace vivavoce::net::test
