#pragma once

#include "core/base/http_headers.h"
#include "net/internal/boost.h"
#include "net/internal/message_pace.h"
#include "net/internal/message_room.h"
#include "net/internal/signs_of_life.h"
#include "net/internal/tls.h"
#include "net/websocket_session.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

namespace vivavoce::net {

struct WebSocketLimits {
    std::size_t maxMessageBytes = 0;
    std::size_t queueBytes = 0;
    core::Milliseconds silence{0};
    /// From the first byte of a message to its last.
    core::Milliseconds messageTime{30'000};
    /// For long ones that are not whole; null: any.
    std::shared_ptr<MessageRoom> room{};
};

/// A WebSocketSession over a Beast stream, for both ends.
/// Invariant: one message of the queue at a time is written, and the farewell behind them, so messages leave whole and in order and the
/// close frame last, even if whoever asked for it is cancelled. The queue is bounded by its senders: `send` waits while
/// more than `queueBytes` are unsent; nothing is dropped.
/// Threads: the stream's executor. Lifetime: shared with what is being written, and with its watch until it is down.
template <typename Stream>
class WebSocketStream final : public WebSocketSession, public std::enable_shared_from_this<WebSocketStream<Stream>> {
public:
    WebSocketStream(Stream lower, WebSocketLimits limits);

    /// The server's side of the handshake; the session is open after no error.
    Awaitable<ErrorCode> accept(
        const http::request<http::string_body>& request, core::HttpHeaders fields, core::Milliseconds patience);
    /// The client's side; the caller keeps the deadline.
    Awaitable<ErrorCode> handshake(websocket::response_type& response, std::string host, std::string target);
    /// For `handshake`.
    void decorate(std::function<void(websocket::request_type&)> add)
    {
        m_stream.set_option(websocket::stream_base::decorator(std::move(add)));
    }

    [[nodiscard]] IoExecutor executor() const override { return m_executor; }
    Awaitable<core::Expected<WebSocketMessage, WebSocketClose>> read() override;
    Awaitable<bool> send(std::string text) override { return enqueue(WebSocketMessage::Kind::Text, std::move(text)); }
    Awaitable<bool> sendBinary(std::string bytes) override
    {
        return enqueue(WebSocketMessage::Kind::Binary, std::move(bytes));
    }
    Awaitable<> close(std::uint16_t code, std::string reason, core::Milliseconds patience) override;
    [[nodiscard]] std::size_t queuedBytes() const override { return m_queuedBytes; }

    [[nodiscard]] bool isOpen() const { return m_isOpen; }
    /// Ends the writer and drops the connection; every wait of this session returns.
    void drop();
    /// Nobody has it any more: the same, unless the peer is still to be told what it did wrong.
    void letGo();

private:
    void start();
    void setTimeouts(std::chrono::steady_clock::duration handshake);
    [[nodiscard]] std::size_t boundedKernelRoom();
    Awaitable<> watch();
    void ping();
    Awaitable<bool> enqueue(WebSocketMessage::Kind kind, std::string data);
    /// The first of the queue, or the farewell behind it, unless something is being written.
    void writeNext();
    void written(const ErrorCode& error, std::size_t size);
    void farewellSaid(const ErrorCode& error);
    Awaitable<> farewellOver();
    /// It ends here, whatever the peer still sends: that is read and dropped while it learns why.
    void endForFault(std::uint16_t code, std::string_view reason, core::Milliseconds patience);
    /// Whether a message that is not whole yet may go on.
    [[nodiscard]] bool mayGrow();
    void heardControl();
    void faultyFarewell();
    void beginClosing(std::uint16_t code, std::string_view reason, core::Milliseconds patience);
    /// After that time, and again where the peer has taken more by then, but not for ever.
    void dropUnlessMoving(core::Milliseconds patience, std::uint64_t takenBefore);
    /// Bytes, since the connection is there.
    [[nodiscard]] std::uint64_t taken();
    [[nodiscard]] WebSocketClose closeOf(const ErrorCode& error) const;
    void wake() { m_changed.cancel(); }

    /// Without compression.
    websocket::stream<Stream, false> m_stream;
    IoExecutor m_executor;
    WebSocketLimits m_limits;
    beast::flat_buffer m_buffer;
    std::deque<WebSocketMessage> m_queue;
    std::size_t m_queuedBytes = 0;
    std::uint64_t m_written = 0;
    /// Never expires: cancelling it wakes whoever waits for a change of the queue or of the state.
    Timer m_changed;
    /// Runs out when the farewell takes too long.
    Timer m_patience;
    Timer m_nextLook;
    /// A farewell takes no longer than until then.
    std::chrono::steady_clock::time_point m_lastMoment;
    /// Once it is open.
    std::optional<SignsOfLife> m_life;
    MessagePace m_pace;
    RoomShare m_share;
    /// Control frames of the peer's since then.
    std::chrono::steady_clock::time_point m_controlSince;
    int m_controlFrames = 0;
    websocket::close_reason m_farewell;
    /// What we said before the peer said anything of an end.
    std::optional<WebSocketClose> m_ours;
    /// How it ended, once a read has seen it.
    std::optional<WebSocketClose> m_end;
    bool m_isOpen = false;
    bool m_isClosing = false;
    /// For what the peer did.
    bool m_isFault = false;
    /// A message or the farewell.
    bool m_isWriting = false;
    bool m_isDown = false;
    /// A ping waits to be sent, or is being sent: there is one at a time.
    bool m_isPinging = false;
};

extern template class WebSocketStream<TcpSocket>;
extern template class WebSocketStream<TlsStream>;

} // namespace vivavoce::net
