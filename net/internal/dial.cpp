#include "net/internal/dial.h"

#include "core/base/http_headers.h"

#include <vector>

namespace vivavoce::net {

namespace {

using Endpoints = std::vector<tcp::endpoint>;

struct Lookup {
    explicit Lookup(const IoExecutor& executor)
        : resolver(executor), isOver(executor, asio::steady_timer::time_point::max())
    {
    }

    tcp::resolver resolver;
    asio::steady_timer isOver;
    bool hasAnswer = false;
    ErrorCode error;
    Endpoints endpoints;
};

/// Addresses that nobody needs to be asked for; "localhost" is this computer whatever a name server says (RFC 6761 §6.3).
Endpoints knownEndpoints(const Url& url)
{
    ErrorCode error;
    const auto address = asio::ip::make_address(url.host, error);
    if (!error) {
        return {{address, url.port}};
    }
    if (core::equalsIgnoreCase(url.host, "localhost")) {
        return {{asio::ip::address_v4::loopback(), url.port}, {asio::ip::address_v6::loopback(), url.port}};
    }
    return {};
}

Awaitable<core::Expected<Endpoints, core::Error>> resolve(const Url& url)
{
    if (auto known = knownEndpoints(url); !known.empty()) {
        co_return known;
    }
    // The system's resolver cannot be interrupted, but the wait for it can; the answer then comes to nobody.
    const auto lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor);
    lookup->resolver.async_resolve(
        url.host, std::to_string(url.port), [lookup](const ErrorCode& error, const tcp::resolver::results_type& found) {
            lookup->hasAnswer = true;
            lookup->error = error;
            lookup->endpoints.assign(found.begin(), found.end());
            lookup->isOver.cancel();
        });
    while (!lookup->hasAnswer) {
        co_await lookup->isOver.async_wait(asTuple);
    }
    if (lookup->error) {
        co_return core::fail(
            core::ErrorCode::ProviderUnreachable, url.host + " has no address: " + lookup->error.message());
    }
    co_return std::move(lookup->endpoints);
}

} // namespace

Awaitable<core::Expected<beast::tcp_stream, core::Error>> dial(const Url& url)
{
    const auto endpoints = co_await resolve(url);
    if (!endpoints) {
        co_return core::Unexpected<core::Error>(endpoints.error());
    }
    const auto executor = co_await asio::this_coro::executor;
    beast::tcp_stream stream(executor);
    const auto [error, endpoint] = co_await stream.async_connect(*endpoints, asTuple);
    if (error) {
        co_return core::fail(
            core::ErrorCode::ProviderUnreachable, "cannot connect to " + url.host + ": " + error.message());
    }
    ErrorCode ignored;
    stream.socket().set_option(tcp::no_delay(true), ignored);
    co_return stream;
}

Awaitable<core::Expected<void, core::Error>> shakeHands(TlsStream& stream, const Url& url)
{
    if (!expectHost(stream, url.host)) {
        co_return core::fail(core::ErrorCode::ProviderUnreachable, "TLS cannot be set up for " + url.host);
    }
    const auto [error] = co_await stream.async_handshake(ssl::stream_base::client, asTuple);
    if (error) {
        co_return core::fail(
            core::ErrorCode::ProviderUnreachable, "TLS with " + url.host + " failed: " + error.message());
    }
    co_return core::Expected<void, core::Error>();
}

} // namespace vivavoce::net
