#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "net/awaitable.h"
#include "net/internal/boost.h"
#include "net/internal/tls.h"
#include "net/internal/url.h"

#include <memory>
#include <optional>
#include <utility>

namespace vivavoce::net {

/// Resolves and connects; ProviderUnreachable on failure.
Awaitable<core::Expected<beast::tcp_stream, core::Error>> dial(const Url& url);

/// The client's side of the TLS handshake over a connected stream.
Awaitable<core::Expected<void, core::Error>> shakeHands(TlsStream& stream, const Url& url);

/// The result of `work`, or Timeout when it takes longer; the work is cancelled then. `work` gives an Expected.
template <typename T>
Awaitable<core::Expected<T, core::Error>> within(
    core::Milliseconds timeout, Awaitable<core::Expected<T, core::Error>> work)
{
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer deadline(co_await asio::this_coro::executor, timeout);
    auto result = co_await (std::move(work) || deadline.async_wait(asTuple));
    if (auto* finished = std::get_if<0>(&result)) {
        co_return std::move(*finished);
    }
    co_return core::fail(core::ErrorCode::Timeout, "no answer within " + std::to_string(timeout.count()) + " ms");
}

} // namespace vivavoce::net
