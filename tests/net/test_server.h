#pragma once

#include "net/http_client.h"
#include "net/io_threads.h"
#include "net/server.h"
#include "net/websocket_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace vivavoce::net::test {

inline constexpr std::chrono::seconds kTestPatience{20};

/// Two threads, as the broker has them, so that races have a chance.
class Loop {
public:
    Loop() { m_threads.start(); }

    /// One and the other in turn.
    [[nodiscard]] IoExecutor executor() { return executors()[m_turn++ % kThreads]; }
    [[nodiscard]] std::vector<IoExecutor> executors() const { return m_threads.executors(); }

    /// Runs `task` and waits for its result.
    template <typename T>
    T run(Awaitable<T> task)
    {
        auto result = boost::asio::co_spawn(executor(), std::move(task), boost::asio::use_future);
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
    static constexpr std::size_t kThreads = 2;
    IoThreads m_threads{kThreads};
    std::atomic<std::size_t> m_turn{0};
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
