#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "net/awaitable.h"
#include "net/internal/boost.h"
#include "net/internal/dial_memory_state.h"
#include "net/internal/tls.h"
#include "net/internal/url.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace vivavoce::net {

/// Those of the one and the other protocol in turn, beginning with the first one's; each in the order in which they are (RFC 8305 §4).
[[nodiscard]] std::vector<tcp::endpoint> interleaved(const std::vector<tcp::endpoint>& endpoints);
/// Connects to the first of them, in turn, that answers. Each but the last gets `patience`, so that one which nobody hears at does not use
/// up the time of all. An error only where none answers.
Awaitable<core::Expected<TcpSocket, ErrorCode>> connectAny(
    std::vector<tcp::endpoint> endpoints, core::Milliseconds patience);

/// Resolves and connects; ProviderUnreachable on failure. `memory` may be null.
Awaitable<core::Expected<TcpSocket, core::Error>> dial(const Url& url, DialMemory::State* memory = nullptr);

/// The client's side of the TLS handshake over a connected stream. `memory` may be null; otherwise the stream's context has to be its.
Awaitable<core::Expected<void, core::Error>> shakeHands(
    TlsStream& stream, const Url& url, DialMemory::State* memory = nullptr);

/// The result of `work`, or Timeout when it takes longer; the work is cancelled then. `work` gives an Expected.
template <typename T>
Awaitable<core::Expected<T, core::Error>> within(
    core::Milliseconds timeout, Awaitable<core::Expected<T, core::Error>> work)
{
    using namespace asio::experimental::awaitable_operators;
    Timer deadline(co_await asio::this_coro::executor, timeout);
    auto result = co_await (std::move(work) || deadline.async_wait(asTuple));
    if (auto* finished = std::get_if<0>(&result)) {
        co_return std::move(*finished);
    }
    co_return core::fail(core::ErrorCode::Timeout, "no answer within " + std::to_string(timeout.count()) + " ms");
}

} // namespace vivavoce::net
