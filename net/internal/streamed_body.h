#pragma once

#include "core/base/units.h"
#include "net/body_writer.h"
#include "net/internal/boost.h"

#include <string>
#include <tuple>
#include <utility>

namespace vivavoce::net {

/// A body in chunks (RFC 9112 §7.1); for HTTP/1.0, which has none, its end is that of the connection.
/// Threads: the connection's strand. Lifetime: within that of the stream.
template <typename Stream>
class StreamedBody final : public BodyWriter {
public:
    /// `patience` is for each part.
    StreamedBody(Stream& stream, core::Milliseconds patience, bool isChunked)
        : m_stream(stream), m_patience(patience), m_isChunked(isChunked)
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
        lowest().expires_after(m_patience);
        ErrorCode error;
        if (m_isChunked) {
            std::tie(error, std::ignore) =
                co_await asio::async_write(m_stream, http::make_chunk(asio::buffer(part)), asTuple);
        } else {
            std::tie(error, std::ignore) = co_await asio::async_write(m_stream, asio::buffer(part), asTuple);
        }
        lowest().expires_never();
        m_isTorn = error.failed();
        co_return !m_isTorn;
    }

    /// The end. False: the connection is of no more use.
    Awaitable<bool> finish()
    {
        if (m_isTorn || !m_isChunked) {
            co_return false;
        }
        lowest().expires_after(m_patience);
        const auto [error, size] = co_await asio::async_write(m_stream, http::make_chunk_last(), asTuple);
        lowest().expires_never();
        co_return !error;
    }

    /// Returns when the peer has hung up. One that sends something instead is heard of when it is written to.
    Awaitable<> readerLeft()
    {
        tcp::socket& socket = lowest().socket();
        const auto [waited] = co_await socket.async_wait(tcp::socket::wait_read, asTuple);
        ErrorCode error = waited;
        const bool hasSent = !error && socket.available(error) > 0;
        if (hasSent) {
            asio::steady_timer never(socket.get_executor(), asio::steady_timer::time_point::max());
            co_await never.async_wait(asTuple);
        }
    }

private:
    [[nodiscard]] beast::tcp_stream& lowest() { return beast::get_lowest_layer(m_stream); }

    Stream& m_stream;
    const core::Milliseconds m_patience;
    const bool m_isChunked;
    /// Something was sent in part.
    bool m_isTorn = false;
};

} // namespace vivavoce::net
