#pragma once

#include "net/internal/boost.h"
#include "net/websocket_session.h"

#include <deque>
#include <memory>

namespace vivavoce::net {

/// A WebSocketSession over a Beast stream, for both ends.
/// Invariant: one writer coroutine takes from the queue, so messages leave whole and in order; `send` waits while more than
/// `queueLimit` bytes are unsent.
/// Threads: the stream's strand. Lifetime: shared with its writer until `drop`.
template <typename Stream>
class WebSocketStream final : public WebSocketSession, public std::enable_shared_from_this<WebSocketStream<Stream>> {
public:
    WebSocketStream(websocket::stream<Stream> stream, std::size_t queueLimit);

    [[nodiscard]] IoExecutor executor() const override { return m_executor; }
    Awaitable<core::Expected<WebSocketMessage, WebSocketClose>> read() override;
    Awaitable<bool> send(std::string text) override { return enqueue({WebSocketMessage::Kind::Text, std::move(text)}); }
    Awaitable<bool> sendBinary(std::string bytes) override
    {
        return enqueue({WebSocketMessage::Kind::Binary, std::move(bytes)});
    }
    Awaitable<> close(std::uint16_t code, std::string reason, core::Milliseconds patience) override;
    [[nodiscard]] std::size_t queuedBytes() const override { return m_queuedBytes; }

    [[nodiscard]] websocket::stream<Stream>& stream() { return m_stream; }
    /// Starts the writer; call once, after the handshake.
    void start();
    /// Ends the writer and drops the connection; every wait of this session returns.
    void drop();

private:
    Awaitable<bool> enqueue(WebSocketMessage message);
    Awaitable<> writeLoop();
    [[nodiscard]] WebSocketClose closeOf(const ErrorCode& error) const;
    void wake() { m_changed.cancel(); }

    websocket::stream<Stream> m_stream;
    IoExecutor m_executor;
    beast::flat_buffer m_buffer;
    std::deque<WebSocketMessage> m_queue;
    std::size_t m_queuedBytes = 0;
    std::size_t m_queueLimit;
    /// Never expires: cancelling it wakes whoever waits for a change of the queue or of the state.
    asio::steady_timer m_changed;
    bool m_isWriting = false;
    bool m_isClosing = false;
    bool m_isDown = false;
};

using PlainWebSocket = WebSocketStream<beast::tcp_stream>;
using TlsWebSocket = WebSocketStream<beast::ssl_stream<beast::tcp_stream>>;

extern template class WebSocketStream<beast::tcp_stream>;
extern template class WebSocketStream<beast::ssl_stream<beast::tcp_stream>>;

} // namespace vivavoce::net
