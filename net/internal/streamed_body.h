#pragma once

#include "core/base/units.h"
#include "net/body_writer.h"
#include "net/internal/boost.h"
#include "net/internal/watchdog.h"

#include <string>
#include <utility>

namespace vivavoce::net {

/// A body in chunks (RFC 9112 §7.1); for HTTP/1.0, which has none, its end is that of the connection.
/// Threads: the connection's executor. Lifetime: within that of the stream.
template <typename Stream>
class StreamedBody final : public BodyWriter {
public:
    /// `patience` is for each part, and `watchdog` the connection's own.
    StreamedBody(Stream& stream, Watchdog& watchdog, core::Milliseconds patience, bool isChunked)
        : m_stream(stream), m_watchdog(watchdog), m_patience(patience), m_isChunked(isChunked)
    {
    }

    Awaitable<bool> write(std::string part) override
    {
        if (m_isTorn || part.empty()) {
            // An empty chunk would be the last one.
            co_return !m_isTorn;
        }
        // Also where this is cancelled half-way.
        m_isTorn = true;
        m_watchdog.watch(m_patience);
        if (m_isChunked) {
            part = beast::buffers_to_string(http::make_chunk(asio::buffer(part)));
        }
        const auto [error, size] = co_await asio::async_write(m_stream, asio::buffer(part), asTuple);
        m_watchdog.rest();
        m_isTorn = error.failed();
        co_return !m_isTorn;
    }

    /// The end. False: the connection is of no more use.
    Awaitable<bool> finish()
    {
        if (m_isTorn || !m_isChunked) {
            co_return false;
        }
        m_watchdog.watch(m_patience);
        const std::string end = beast::buffers_to_string(http::make_chunk_last());
        const auto [error, size] = co_await asio::async_write(m_stream, asio::buffer(end), asTuple);
        m_watchdog.rest();
        co_return !error;
    }

    /// Returns when the peer has hung up. One that sends something instead is heard of when it is written to.
    Awaitable<> readerLeft()
    {
        TcpSocket& socket = beast::get_lowest_layer(m_stream);
        const auto [waited] = co_await socket.async_wait(tcp::socket::wait_read, asTuple);
        ErrorCode error = waited;
        const bool hasSent = !error && socket.available(error) > 0;
        if (hasSent) {
            Timer never(socket.get_executor(), std::chrono::steady_clock::time_point::max());
            co_await never.async_wait(asTuple);
        }
    }

private:
    Stream& m_stream;
    Watchdog& m_watchdog;
    const core::Milliseconds m_patience;
    const bool m_isChunked;
    /// Something was sent in part.
    bool m_isTorn = false;
};

} // namespace vivavoce::net
