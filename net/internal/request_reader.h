#pragma once

#include "net/awaitable.h"
#include "net/http_message.h"
#include "net/internal/boost.h"
#include "net/internal/header_block.h"
#include "net/internal/tls.h"
#include "net/internal/watchdog.h"
#include "net/server.h"

namespace vivavoce::net {

/// What came of waiting for a request.
struct Arrival {
    enum class Kind {
        Request,
        /// It is answered with `refusal`, and nothing after it can be trusted.
        Refused,
        /// There is nobody to answer.
        Gone,
    };
    Kind kind = Kind::Gone;
    unsigned refusal = 0;
    unsigned version = 11;
    bool keepsAlive = false;
    bool hasBody = false;
    /// As parsed, without the body: for the WebSocket handshake.
    http::request<http::string_body> raw;
};

/// Reads the requests of one connection, one after another, each part in its own time and within its own limit.
/// Trailer fields are read and dropped.
/// Threads: the connection's executor. Lifetime: within that of the stream.
template <typename Stream>
class RequestReader {
public:
    RequestReader(Stream& stream, const ServerLimits& limits)
        : m_stream(stream), m_limits(limits), m_watchdog(beast::get_lowest_layer(stream), Watchdog::Bite::Cancel)
    {
    }

    /// The next request, into `request` (all but its peer and id).
    Awaitable<Arrival> read(HttpRequest& request);
    /// Whether it waits for the first byte of a request.
    [[nodiscard]] bool isIdle() const { return m_isIdle; }
    /// Whether the peer has sent more than was read of it: the next request, or what it should not have sent.
    [[nodiscard]] bool hasMore() const { return m_buffer.size() > 0; }
    /// Drops what is left and its memory; before the stream serves something else.
    void finish();

private:
    [[nodiscard]] std::string_view text() const
    {
        return {static_cast<const char*>(m_buffer.data().data()), m_buffer.size()};
    }
    Awaitable<Arrival> readBlock(HeaderScanner& scanner);
    Arrival parseBlock(std::size_t size, http::request_parser<http::string_body>& parser, HttpRequest& request);
    Awaitable<Arrival> readBody(http::request_parser<http::string_body>& parser, Arrival arrival, bool isAwaited);
    void skipEmptyLine();

    Stream& m_stream;
    const ServerLimits& m_limits;
    Watchdog m_watchdog;
    beast::flat_buffer m_buffer;
    bool m_isIdle = false;
};

extern template class RequestReader<TcpSocket>;
extern template class RequestReader<TlsStream>;

} // namespace vivavoce::net
