#include "net/internal/websocket_stream.h"

#include "net/internal/acknowledged.h"
#include "net/internal/close_frame.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace vivavoce::net {
namespace {

/// A peer that declares a long message and sends nothing costs no more than this at a time.
constexpr std::size_t kReadSize = 64 * 1024;
/// Where nothing has come yet: what waits does so in this much memory.
constexpr std::size_t kFirstRead = 128;
/// Time for a peer that was answered its farewell to close its side.
constexpr core::Milliseconds kFarewellPatience{500};
/// Time for a peer that sends too much to notice that it was told so.
constexpr core::Milliseconds kTooBigPatience{3000};
/// Time for a peer at the end of a slow line to take what was said before the farewell.
constexpr core::Milliseconds kLongestFarewell{10'000};
constexpr std::size_t kBufferToKeep = 32 * 1024;
/// Behind a message, for readers that look at many bytes at once: they would have to move it elsewhere.
constexpr std::size_t kRoomBehind = 64;
/// More than anybody can have taken.
constexpr std::uint64_t kNeverMoving = std::numeric_limits<std::uint64_t>::max();
/// Two seconds of sound: a line that is worth talking over never waits for us to fill it.
constexpr int kKernelRoom = 128 * 1024;
/// Far more than asks for signs of life, and far less than keeps us busy.
constexpr int kMostControlFrames = 100;
constexpr std::chrono::seconds kControlTime{1};
/// Nobody sends so much; what is told to be longer, is not waited for.
constexpr std::size_t kLongestTold = std::numeric_limits<std::uint32_t>::max();
/// So that a dead peer is found within a quarter more than the silence.
constexpr int kLooksInASilence = 4;

std::string_view bytesOf(const beast::flat_buffer& buffer)
{
    return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

/// Of a text that is good UTF-8 up to there.
bool endsWithinCharacter(std::string_view text)
{
    constexpr std::size_t kLongestStart = 3;
    for (std::size_t back = 1; back <= std::min(kLongestStart, text.size()); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if ((byte & 0xC0U) == 0x80U) {
            continue;
        }
        const std::size_t length = byte >= 0xF0U ? 4 : byte >= 0xE0U ? 3 : byte >= 0xC0U ? 2 : 1;
        return length > back;
    }
    return false;
}

} // namespace

template <typename Stream>
WebSocketStream<Stream>::WebSocketStream(Stream lower, WebSocketLimits limits)
    : m_stream(std::move(lower)),
      m_executor(m_stream.get_executor()),
      m_limits(limits),
      m_changed(m_executor, std::chrono::steady_clock::time_point::max()),
      m_patience(m_executor),
      m_nextLook(m_executor),
      m_pace(m_limits.messageTime),
      m_share(m_limits.room)
{
    // Beast drops the connection after a message that is too long, and with it often the close frame that says so: `read`
    // keeps the limit itself.
    m_stream.read_message_max(std::max(m_limits.maxMessageBytes, kLongestTold));
    m_stream.auto_fragment(false);
    m_stream.control_callback([this](websocket::frame_type kind, beast::string_view) {
        if (m_life) {
            m_life->heard(std::chrono::steady_clock::now());
            heardControl();
        }
        if (kind == websocket::frame_type::close && !m_isClosing && m_stream.reason().code > kHighestCode) {
            faultyFarewell();
        } else if (kind == websocket::frame_type::close && !m_isClosing) {
            // Beast answers it and then waits for the end of the stream as long as the peer likes.
            m_end = closeOf(websocket::error::closed);
            dropUnlessMoving(kFarewellPatience, kNeverMoving);
        }
    });
}

template <typename Stream>
void WebSocketStream<Stream>::setTimeouts(std::chrono::steady_clock::duration handshake)
{
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = handshake;
    // Beast's own would run while nobody reads, too: `watch` does it.
    timeout.idle_timeout = websocket::stream_base::none();
    timeout.keep_alive_pings = false;
    m_stream.set_option(timeout);
}

template <typename Stream>
Awaitable<ErrorCode> WebSocketStream<Stream>::accept(
    const http::request<http::string_body>& request, core::HttpHeaders fields, core::Milliseconds patience)
{
    setTimeouts(patience);
    m_stream.set_option(websocket::stream_base::decorator([&fields](websocket::response_type& response) {
        // Beast adds its name and version unless the field is there, and an empty one is none (RFC 9110 §10.2.4).
        response.set(http::field::server, "vivavoce");
        for (const auto& field : fields.fields()) {
            response.insert(field.name, field.value);
        }
    }));
    const auto [error] = co_await m_stream.async_accept(request, asTuple);
    // What it adds belongs to the one answer.
    m_stream.set_option(websocket::stream_base::decorator([](websocket::response_type&) {}));
    if (!error) {
        start();
    }
    co_return error;
}

template <typename Stream>
Awaitable<ErrorCode> WebSocketStream<Stream>::handshake(
    websocket::response_type& response, std::string host, std::string target)
{
    setTimeouts(websocket::stream_base::none());
    const auto [error] = co_await m_stream.async_handshake(response, host, target, asTuple);
    // What it adds belongs to the one request.
    decorate([](websocket::request_type&) {});
    if (!error) {
        start();
    }
    co_return error;
}

template <typename Stream>
void WebSocketStream<Stream>::start()
{
    if (m_isDown) {
        return;
    }
    m_isOpen = true;
    m_life.emplace(m_limits.silence, boundedKernelRoom(), std::chrono::steady_clock::now());
    asio::co_spawn(
        m_executor, [self = this->shared_from_this()]() -> Awaitable<> { co_await self->watch(); }, asio::detached);
}

template <typename Stream>
std::size_t WebSocketStream<Stream>::boundedKernelRoom()
{
    auto& socket = beast::get_lowest_layer(m_stream);
    ErrorCode ignored;
    socket.set_option(asio::socket_base::send_buffer_size(kKernelRoom), ignored);
    // The kernel may take another number than it is given.
    asio::socket_base::send_buffer_size room(2 * kKernelRoom);
    socket.get_option(room, ignored);
    return static_cast<std::size_t>(std::max(room.value(), 0));
}

/// Pings a silent peer, and gives a dead one up. A farewell has a deadline of its own.
template <typename Stream>
Awaitable<> WebSocketStream<Stream>::watch()
{
    while (!m_isDown && !m_isClosing) {
        m_nextLook.expires_after(std::min(m_limits.silence, m_limits.messageTime) / kLooksInASilence);
        co_await m_nextLook.async_wait(asTuple);
        if (m_isDown || m_isClosing) {
            co_return;
        }
        const auto now = std::chrono::steady_clock::now();
        if (m_pace.isTooSlow(now)) {
            endForFault(1008, "message too slow", kFarewellPatience);
            co_return;
        }
        m_life->hasTaken(taken(), m_isWriting, now);
        switch (m_life->look(now)) {
        case SignsOfLife::Verdict::Fine:
            break;
        case SignsOfLife::Verdict::AskForOne:
            ping();
            break;
        case SignsOfLife::Verdict::Dead:
            m_end = m_end.value_or(WebSocketClose{1006, "no sign of life"});
            drop();
            break;
        }
    }
}

template <typename Stream>
void WebSocketStream<Stream>::ping()
{
    // Behind a message that the peer does not read it waits for as long as that does, while the peer may well be heard.
    if (!m_isPinging) {
        m_isPinging = true;
        m_stream.async_ping({}, [self = this->shared_from_this()](const ErrorCode&) { self->m_isPinging = false; });
    }
}

template <typename Stream>
Awaitable<core::Expected<WebSocketMessage, WebSocketClose>> WebSocketStream<Stream>::read()
{
    m_buffer.clear();
    while (!m_end) {
        const std::size_t most = m_buffer.capacity() == 0 ? kFirstRead : kReadSize;
        const std::size_t room = std::min(most, m_limits.maxMessageBytes + 1 - m_buffer.size());
        m_life->listen(std::chrono::steady_clock::now());
        const auto [error, size] = co_await m_stream.async_read_some(m_buffer, room, asTuple);
        m_life->stopListening();
        if (error) {
            if (error != websocket::error::closed) {
                // Our own farewell may be reading in our stead, and knows better how this ends.
                co_await farewellOver();
            }
            m_end = m_end.value_or(closeOf(error));
            drop();
            continue;
        }
        m_life->heard(std::chrono::steady_clock::now());
        if (m_buffer.size() > m_limits.maxMessageBytes) {
            endForFault(1009, "message too big", kTooBigPatience);
        } else if (!m_stream.is_message_done()) {
            if (!mayGrow()) {
                // As 1013, which Qt takes for a fault of ours.
                endForFault(4013, "too many long messages at the same time", kFarewellPatience);
            }
        } else if (m_stream.got_text() && endsWithinCharacter(bytesOf(m_buffer))) {
            // Beast does not look at the end of a text whose last frame is empty (RFC 6455 §8.1).
            endForFault(1007, "not UTF-8", kFarewellPatience);
        } else {
            WebSocketMessage message;
            message.kind = m_stream.got_text() ? WebSocketMessage::Kind::Text : WebSocketMessage::Kind::Binary;
            message.data.reserve(m_buffer.size() + kRoomBehind);
            message.data.assign(static_cast<const char*>(m_buffer.data().data()), m_buffer.size());
            if (m_buffer.capacity() > kBufferToKeep) {
                // One large message is no reason to keep its room for the life of the session.
                m_buffer = beast::flat_buffer();
            }
            m_pace.isWhole();
            static_cast<void>(m_share.resize(0));
            co_return message;
        }
    }
    m_buffer = beast::flat_buffer();
    m_pace.isWhole();
    static_cast<void>(m_share.resize(0));
    co_return core::Unexpected<WebSocketClose>(*m_end);
}

template <typename Stream>
bool WebSocketStream<Stream>::mayGrow()
{
    m_pace.came(std::chrono::steady_clock::now());
    // What every connection may have needs no counting.
    return m_buffer.size() <= kReadSize || m_share.resize(m_buffer.capacity());
}

template <typename Stream>
void WebSocketStream<Stream>::heardControl()
{
    const auto now = std::chrono::steady_clock::now();
    if (now - m_controlSince >= kControlTime) {
        m_controlSince = now;
        m_controlFrames = 0;
    }
    if (++m_controlFrames == kMostControlFrames) {
        // Not in the middle of Beast's reading.
        asio::post(m_executor, [weak = this->weak_from_this()] {
            const auto self = weak.lock();
            if (self && !self->m_isClosing) {
                self->endForFault(1008, "too many control frames", kFarewellPatience);
            }
        });
    }
}

template <typename Stream>
void WebSocketStream<Stream>::endForFault(std::uint16_t code, std::string_view reason, core::Milliseconds patience)
{
    const bool isFarewell = m_isDown || m_isClosing;
    m_end = m_end.value_or(WebSocketClose{code, std::string(reason), true});
    if (!isFarewell) {
        m_isFault = true;
        beginClosing(code, reason, patience);
    }
}

/// Beast would answer it with the same code.
template <typename Stream>
void WebSocketStream<Stream>::faultyFarewell()
{
    if (!m_isWriting && !m_isPinging) {
        endForFault(1002, "protocol violation", kFarewellPatience);
    } else {
        m_end = WebSocketClose{1002, "protocol violation", true};
        dropUnlessMoving(kFarewellPatience, kNeverMoving);
    }
}

template <typename Stream>
void WebSocketStream<Stream>::letGo()
{
    if (!m_isFault || !m_isClosing) {
        drop();
    }
}

template <typename Stream>
WebSocketClose WebSocketStream<Stream>::closeOf(const ErrorCode& error) const
{
    // Whatever a peer answers to a farewell, it did not end this.
    if (m_ours) {
        return *m_ours;
    }
    const auto& reason = m_stream.reason();
    // A reason is there once the peer's close frame was: losing the connection after that is a formality.
    if (error == websocket::error::closed || reason) {
        // 1005: a close frame without a code (RFC 6455 §7.1.5).
        return {static_cast<std::uint16_t>(reason.code == websocket::close_code::none ? 1005 : reason.code),
            std::string(reason.reason.data(), reason.reason.size())};
    }
    if (error == websocket::error::bad_frame_payload) {
        return {1007, "not UTF-8", true};
    }
    if (error == websocket::error::message_too_big) {
        return {1009, "message too big", true};
    }
    if (error == websocket::condition::protocol_violation) {
        return {1002, "protocol violation", true};
    }
    return {1006, "connection lost"};
}

template <typename Stream>
Awaitable<bool> WebSocketStream<Stream>::enqueue(WebSocketMessage::Kind kind, std::string data)
{
    if (m_isDown || m_isClosing) {
        co_return false;
    }
    m_queuedBytes += data.size();
    m_queue.push_back({kind, std::move(data)});
    writeNext();
    // What is queued when a session closes still leaves, and nobody is kept waiting for it.
    while (m_queuedBytes > m_limits.queueBytes && !m_isDown && !m_isClosing) {
        co_await m_changed.async_wait(asTuple);
    }
    co_return !m_isDown;
}

/// A callback, not a coroutine that is woken: a message that finds the line free leaves at once.
template <typename Stream>
void WebSocketStream<Stream>::writeNext()
{
    if (m_isWriting || m_isDown) {
        return;
    }
    if (!m_queue.empty()) {
        m_isWriting = true;
        m_stream.text(m_queue.front().kind == WebSocketMessage::Kind::Text);
        m_stream.async_write(asio::buffer(m_queue.front().data),
            [self = this->shared_from_this()](
                const ErrorCode& error, std::size_t size) { self->written(error, size); });
    } else if (m_isClosing) {
        m_isWriting = true;
        m_stream.async_close(
            m_farewell, [self = this->shared_from_this()](const ErrorCode& error) { self->farewellSaid(error); });
    }
}

template <typename Stream>
void WebSocketStream<Stream>::written(const ErrorCode& error, std::size_t size)
{
    m_isWriting = false;
    m_queuedBytes -= m_queue.front().data.size();
    m_queue.pop_front();
    m_written += size;
    m_life->wrote(size, std::chrono::steady_clock::now());
    if (error) {
        drop();
        return;
    }
    wake();
    writeNext();
}

template <typename Stream>
void WebSocketStream<Stream>::farewellSaid(const ErrorCode& error)
{
    if (!error) {
        m_end = m_end.value_or(closeOf(websocket::error::closed));
    }
    drop();
}

template <typename Stream>
Awaitable<> WebSocketStream<Stream>::close(std::uint16_t code, std::string reason, core::Milliseconds patience)
{
    const bool isImpatient = m_isClosing && patience <= core::Milliseconds{0};
    if (!m_isOpen || isImpatient) {
        drop();
    }
    if (!m_isDown && !m_isClosing) {
        beginClosing(code, reason, patience);
    }
    co_await farewellOver();
}

/// Returns at once unless a farewell is under way; that one has a deadline.
template <typename Stream>
Awaitable<> WebSocketStream<Stream>::farewellOver()
{
    while (m_isClosing && !m_isDown) {
        co_await m_changed.async_wait(asTuple);
    }
}

template <typename Stream>
void WebSocketStream<Stream>::beginClosing(std::uint16_t code, std::string_view reason, core::Milliseconds patience)
{
    m_isClosing = true;
    if (!m_end) {
        m_ours = WebSocketClose{code, std::string(reason), true};
    }
    const std::string_view text = fitting(reason);
    m_farewell.code = sendable(code);
    m_farewell.reason = beast::string_view(text.data(), text.size());
    const bool isAtOnce = patience <= core::Milliseconds{0};
    m_lastMoment = std::chrono::steady_clock::now() + std::max(patience, kLongestFarewell);
    dropUnlessMoving(patience, isAtOnce ? kNeverMoving : taken());
    wake();
    writeNext();
}

template <typename Stream>
void WebSocketStream<Stream>::dropUnlessMoving(core::Milliseconds patience, std::uint64_t takenBefore)
{
    m_patience.expires_after(patience);
    m_patience.async_wait([weak = this->weak_from_this(), patience, takenBefore](const ErrorCode& error) {
        const auto self = weak.lock();
        if (!self || error) {
            return;
        }
        const std::uint64_t takenNow = self->taken();
        if (takenNow > takenBefore && std::chrono::steady_clock::now() < self->m_lastMoment) {
            self->dropUnlessMoving(patience, takenNow);
        } else {
            self->drop();
        }
    });
}

template <typename Stream>
std::uint64_t WebSocketStream<Stream>::taken()
{
    return acknowledged(beast::get_lowest_layer(m_stream)).value_or(m_written);
}

template <typename Stream>
void WebSocketStream<Stream>::drop()
{
    m_isDown = true;
    m_patience.cancel();
    m_nextLook.cancel();
    ErrorCode ignored;
    beast::get_lowest_layer(m_stream).close(ignored);
    wake();
}

template class WebSocketStream<TcpSocket>;
template class WebSocketStream<TlsStream>;

} // namespace vivavoce::net
