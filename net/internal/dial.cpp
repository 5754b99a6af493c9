#include "net/internal/dial.h"

namespace vivavoce::net {

Awaitable<core::Expected<beast::tcp_stream, core::Error>> dial(const Url& url)
{
    const auto executor = co_await asio::this_coro::executor;
    tcp::resolver resolver(executor);
    const auto [resolveError, endpoints] = co_await resolver.async_resolve(url.host, std::to_string(url.port), asTuple);
    if (resolveError) {
        co_return core::fail(
            core::ErrorCode::ProviderUnreachable, url.host + " has no address: " + resolveError.message());
    }
    beast::tcp_stream stream(executor);
    const auto [error, endpoint] = co_await stream.async_connect(endpoints, asTuple);
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
