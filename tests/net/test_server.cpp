#include "tests/net/test_server.h"
#include "net/timer.h"

#include <boost/asio/this_coro.hpp>

namespace vivavoce::net::test {

namespace asio = boost::asio;

TestServer::TestServer(Router router, ServerLimits limits, TlsFiles tls)
{
    ServerConfig config;
    config.limits = limits;
    config.tls = std::move(tls);
    auto server = Server::create(m_loop.executors(), std::move(config), std::move(router));
    if (!server) {
        throw std::runtime_error("no server: " + server.error().detail);
    }
    m_server = std::move(*server);
    m_server->start();
}

void addPlain(
    Router& router, std::string method, std::string path, std::function<HttpResponse(const HttpRequest&)> handler)
{
    router.add(std::move(method), std::move(path),
        [handle = std::move(handler)](
            const HttpRequest& request) -> Awaitable<HttpResponse> { co_return handle(request); });
}

Router echoRouter()
{
    Router router;
    const auto echo = [](const HttpRequest& request) {
        HttpResponse response;
        response.body = request.method + " " + request.path + "?" + request.query + " " + request.body;
        return response;
    };
    addPlain(router, "GET", "/echo", echo);
    addPlain(router, "POST", "/echo", echo);
    return router;
}

void addSocket(Router& router, std::function<Awaitable<>(WebSocketSession&)> run, std::size_t maxMessageBytes)
{
    router.addWebSocket("/socket",
        [run = std::move(run), maxMessageBytes](
            const HttpRequest&) -> Awaitable<core::Expected<WebSocketAccept, HttpResponse>> {
            WebSocketAccept accept;
            accept.maxMessageBytes = maxMessageBytes;
            accept.run = run;
            co_return accept;
        });
}

void addEchoSocket(Router& router, std::size_t maxMessageBytes)
{
    addSocket(
        router,
        [](WebSocketSession& session) -> Awaitable<> {
            while (true) {
                auto message = co_await session.read();
                if (!message) {
                    co_return;
                }
                if (message->kind == WebSocketMessage::Kind::Text) {
                    co_await session.send(std::move(message->data));
                } else {
                    co_await session.sendBinary(std::move(message->data));
                }
            }
        },
        maxMessageBytes);
}

Awaitable<> after(core::Milliseconds time)
{
    Timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(useAwaitable);
}

} // namespace vivavoce::net::test
