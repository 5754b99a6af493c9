#include "net/internal/websocket_stream.h"

namespace vivavoce::net {

template <typename Stream>
WebSocketStream<Stream>::WebSocketStream(websocket::stream<Stream> stream, std::size_t queueLimit)
    : m_stream(std::move(stream)),
      m_executor(m_stream.get_executor()),
      m_queueLimit(queueLimit),
      m_changed(m_executor, asio::steady_timer::time_point::max())
{
}

template <typename Stream>
void WebSocketStream<Stream>::start()
{
    m_isWriting = true;
    asio::co_spawn(
        m_executor, [self = this->shared_from_this()]() -> Awaitable<> { co_await self->writeLoop(); }, asio::detached);
}

template <typename Stream>
Awaitable<core::Expected<WebSocketMessage, WebSocketClose>> WebSocketStream<Stream>::read()
{
    m_buffer.clear();
    const auto [error, size] = co_await m_stream.async_read(m_buffer, asTuple);
    if (error) {
        m_isDown = true;
        wake();
        co_return core::Unexpected<WebSocketClose>(closeOf(error));
    }
    WebSocketMessage message;
    message.kind = m_stream.got_text() ? WebSocketMessage::Kind::Text : WebSocketMessage::Kind::Binary;
    message.data.assign(static_cast<const char*>(m_buffer.data().data()), size);
    if (m_buffer.capacity() > 256 * 1024) {
        // One large message is no reason to keep its room for the life of the session.
        m_buffer = beast::flat_buffer();
    }
    co_return message;
}

template <typename Stream>
WebSocketClose WebSocketStream<Stream>::closeOf(const ErrorCode& error) const
{
    if (error == websocket::error::closed) {
        const auto& reason = m_stream.reason();
        // 1005: a close frame without a code (RFC 6455 §7.1.5).
        return {static_cast<std::uint16_t>(reason.code == websocket::close_code::none ? 1005 : reason.code),
            std::string(reason.reason.data(), reason.reason.size())};
    }
    if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow) {
        return {1009, "message too big"};
    }
    if (error == websocket::error::bad_frame_payload) {
        return {1007, "not UTF-8"};
    }
    if (error == beast::error::timeout) {
        return {1006, "no sign of life"};
    }
    if (error == websocket::condition::protocol_violation) {
        return {1002, "protocol violation"};
    }
    return {1006, "connection lost"};
}

template <typename Stream>
Awaitable<bool> WebSocketStream<Stream>::enqueue(WebSocketMessage message)
{
    if (m_isDown || m_isClosing) {
        co_return false;
    }
    m_queuedBytes += message.data.size();
    m_queue.push_back(std::move(message));
    wake();
    while (m_queuedBytes > m_queueLimit && !m_isDown) {
        co_await m_changed.async_wait(asTuple);
    }
    co_return !m_isDown;
}

template <typename Stream>
Awaitable<> WebSocketStream<Stream>::writeLoop()
{
    while (!m_isDown) {
        if (m_queue.empty()) {
            if (m_isClosing) {
                break;
            }
            co_await m_changed.async_wait(asTuple);
            continue;
        }
        const WebSocketMessage message = std::move(m_queue.front());
        m_queue.pop_front();
        m_stream.text(message.kind == WebSocketMessage::Kind::Text);
        const auto [error, size] = co_await m_stream.async_write(asio::buffer(message.data), asTuple);
        m_queuedBytes -= message.data.size();
        if (error) {
            m_isDown = true;
        }
        wake();
    }
    m_isWriting = false;
    wake();
}

template <typename Stream>
Awaitable<> WebSocketStream<Stream>::close(std::uint16_t code, std::string reason, core::Milliseconds patience)
{
    if (m_isDown || m_isClosing) {
        co_return;
    }
    m_isClosing = true;
    wake();
    asio::steady_timer deadline(m_executor, patience);
    deadline.async_wait([self = this->shared_from_this()](const ErrorCode& error) {
        if (!error) {
            self->drop();
        }
    });
    while (m_isWriting && !m_isDown) {
        co_await m_changed.async_wait(asTuple);
    }
    if (!m_isDown) {
        constexpr std::size_t kLongestReason = 123;
        websocket::close_reason why;
        why.code = static_cast<websocket::close_code>(code);
        why.reason = reason.substr(0, kLongestReason);
        co_await m_stream.async_close(why, asTuple);
    }
    deadline.cancel();
    drop();
}

template <typename Stream>
void WebSocketStream<Stream>::drop()
{
    m_isDown = true;
    beast::get_lowest_layer(m_stream).close();
    wake();
}

template class WebSocketStream<beast::tcp_stream>;
template class WebSocketStream<beast::ssl_stream<beast::tcp_stream>>;

} // namespace vivavoce::net
