#include "net/internal/dial.h"

#include "core/base/http_headers.h"
#include "net/internal/watchdog.h"

#include <array>
#include <tuple>
#include <vector>

namespace vivavoce::net {

namespace {

using Endpoints = DialMemory::State::Endpoints;

/// What a handshake takes around the world, and three of them are less than what anybody gives a dial.
constexpr core::Milliseconds kAddressPatience{500};

struct Lookup {
    explicit Lookup(const IoExecutor& executor)
        : resolver(executor), isOver(executor, std::chrono::steady_clock::time_point::max())
    {
    }

    TcpResolver resolver;
    Timer isOver;
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

Endpoints interleaved(const Endpoints& endpoints)
{
    std::array<Endpoints, 2> byProtocol;
    for (const tcp::endpoint& endpoint : endpoints) {
        byProtocol[endpoint.protocol() == endpoints.front().protocol() ? 0 : 1].push_back(endpoint);
    }
    Endpoints all;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        for (const Endpoints& some : byProtocol) {
            if (i < some.size()) {
                all.push_back(some[i]);
            }
        }
    }
    return all;
}

Awaitable<core::Expected<TcpSocket, ErrorCode>> connectAny(Endpoints endpoints, core::Milliseconds patience)
{
    endpoints = interleaved(endpoints);
    const auto executor = co_await asio::this_coro::executor;
    ErrorCode error = asio::error::not_found;
    for (const tcp::endpoint& endpoint : endpoints) {
        TcpSocket socket(executor);
        Watchdog watchdog(socket);
        if (endpoint != endpoints.back()) {
            watchdog.watch(patience);
        }
        std::tie(error) = co_await socket.async_connect(endpoint, asTuple);
        if (!error && !watchdog.hasBarked()) {
            watchdog.rest();
            co_return socket;
        }
    }
    co_return core::Unexpected<ErrorCode>(error);
}

Awaitable<core::Expected<TcpSocket, core::Error>> dial(const Url& url, DialMemory::State* memory)
{
    Endpoints endpoints;
    if (memory != nullptr) {
        endpoints = memory->addresses(url.authority, memory->clock());
    }
    const bool isNews = endpoints.empty();
    if (isNews) {
        auto resolved = co_await resolve(url);
        if (!resolved) {
            co_return core::Unexpected<core::Error>(resolved.error());
        }
        endpoints = std::move(*resolved);
    }
    auto socket = co_await connectAny(endpoints, kAddressPatience);
    if (!socket) {
        if (memory != nullptr) {
            memory->forget(url.authority);
        }
        co_return core::fail(
            core::ErrorCode::ProviderUnreachable, "cannot connect to " + url.host + ": " + socket.error().message());
    }
    // One that was known does not hold for longer because it was used: it would never run out where many dial.
    if (memory != nullptr && isNews) {
        memory->remember(url.authority, std::move(endpoints), memory->clock());
    }
    ErrorCode ignored;
    socket->set_option(tcp::no_delay(true), ignored);
    co_return std::move(*socket);
}

Awaitable<core::Expected<void, core::Error>> shakeHands(TlsStream& stream, const Url& url, DialMemory::State* memory)
{
    if (!expectHost(stream, url.host)) {
        co_return core::fail(core::ErrorCode::ProviderUnreachable, "TLS cannot be set up for " + url.host);
    }
    if (memory != nullptr) {
        memory->offer(stream.native_handle(), url.host);
    }
    const auto [error] = co_await stream.async_handshake(ssl::stream_base::client, asTuple);
    if (error) {
        co_return core::fail(
            core::ErrorCode::ProviderUnreachable, "TLS with " + url.host + " failed: " + error.message());
    }
    if (memory != nullptr) {
        memory->shaken(stream.native_handle());
    }
    co_return core::Expected<void, core::Error>();
}

} // namespace vivavoce::net
