// Both ends of net/ for Autobahn's test suite: `serve` sends every message back and prints its address, until its input ends; `run URL` is a
// client of the suite's fuzzing server, goes through its cases and has it write its report.
#include "net/server.h"
#include "net/websocket_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace vivavoce;
namespace asio = boost::asio;

constexpr std::size_t kLargest = 64 * 1024 * 1024;
constexpr const char* kAgent = "vivavoce";

net::Awaitable<> echoAll(net::WebSocketSession& session)
{
    bool goesOn = true;
    while (goesOn) {
        auto message = co_await session.read();
        if (!message) {
            co_return;
        }
        if (message->kind == net::WebSocketMessage::Kind::Text) {
            goesOn = co_await session.send(std::move(message->data));
        } else {
            goesOn = co_await session.sendBinary(std::move(message->data));
        }
    }
}

int serve()
{
    asio::io_context io;
    net::Router router;
    router.addWebSocket(
        "/", [](const net::HttpRequest&) -> net::Awaitable<core::Expected<net::WebSocketAccept, net::HttpResponse>> {
            net::WebSocketAccept accept;
            accept.maxMessageBytes = kLargest;
            accept.run = echoAll;
            co_return accept;
        });
    auto server = net::Server::create({io.get_executor()}, {}, std::move(router));
    if (!server) {
        return EXIT_FAILURE;
    }
    (*server)->start();
    std::cout << "ws" << (*server)->url().substr(4) << std::endl;
    std::thread end([&io] {
        std::cin.ignore(std::numeric_limits<std::streamsize>::max());
        io.stop();
    });
    io.run();
    end.join();
    return EXIT_SUCCESS;
}

net::Awaitable<core::Expected<std::unique_ptr<net::WebSocketSession>, core::Error>> open(std::string url)
{
    net::WebSocketRequest request;
    request.url = std::move(url);
    request.maxMessageBytes = kLargest;
    co_return co_await net::openWebSocket(std::move(request));
}

net::Awaitable<> runCases(std::string url, int& result)
{
    auto counter = co_await open(url + "/getCaseCount");
    if (!counter) {
        co_return;
    }
    const auto count = co_await (*counter)->read();
    const int cases = count ? std::atoi(count->data.c_str()) : 0;
    for (int i = 1; i <= cases; ++i) {
        const auto session = co_await open(url + "/runCase?case=" + std::to_string(i) + "&agent=" + kAgent);
        if (session) {
            co_await echoAll(**session);
        }
    }
    const auto report = co_await open(url + "/updateReports?agent=" + std::string(kAgent));
    if (report && cases > 0) {
        co_await echoAll(**report);
        result = EXIT_SUCCESS;
    }
}

} // namespace

int main(int count, char** words)
{
    if (count == 2 && std::string_view(words[1]) == "serve") {
        return serve();
    }
    if (count == 3 && std::string_view(words[1]) == "run") {
        asio::io_context io;
        int result = EXIT_FAILURE;
        asio::co_spawn(io, runCases(words[2], result), asio::detached);
        io.run();
        return result;
    }
    std::fputs("usage: vivavoce-autobahn serve | run ws://127.0.0.1:PORT\n", stderr);
    return 2;
}
