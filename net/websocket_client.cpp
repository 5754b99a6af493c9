#include "net/websocket_client.h"

#include "net/internal/dial.h"
#include "net/internal/websocket_stream.h"

namespace vivavoce::net {
namespace {

using core::Error;
using SocketResult = core::Expected<std::unique_ptr<WebSocketSession>, Error>;

constexpr std::size_t kQueueBytes = 512 * 1024;

/// Drops the connection with its last owner; the stream itself is shared with its writer.
template <typename Stream>
class OwnedWebSocket final : public WebSocketSession {
public:
    explicit OwnedWebSocket(std::shared_ptr<WebSocketStream<Stream>> stream) : m_stream(std::move(stream)) {}
    ~OwnedWebSocket() override
    {
        asio::post(m_stream->executor(), [stream = m_stream] { stream->drop(); });
    }

    [[nodiscard]] IoExecutor executor() const override { return m_stream->executor(); }
    Awaitable<core::Expected<WebSocketMessage, WebSocketClose>> read() override { return m_stream->read(); }
    Awaitable<bool> send(std::string text) override { return m_stream->send(std::move(text)); }
    Awaitable<bool> sendBinary(std::string bytes) override { return m_stream->sendBinary(std::move(bytes)); }
    Awaitable<> close(std::uint16_t code, std::string reason, core::Milliseconds patience) override
    {
        return m_stream->close(code, std::move(reason), patience);
    }
    [[nodiscard]] std::size_t queuedBytes() const override { return m_stream->queuedBytes(); }

private:
    std::shared_ptr<WebSocketStream<Stream>> m_stream;
};

template <typename Stream>
Awaitable<SocketResult> handshake(Stream lower, WebSocketRequest request, Url url)
{
    websocket::stream<Stream> stream(std::move(lower));
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = websocket::stream_base::none();
    timeout.idle_timeout = core::Milliseconds{45'000};
    timeout.keep_alive_pings = true;
    stream.set_option(timeout);
    stream.read_message_max(request.maxMessageBytes);
    stream.auto_fragment(false);
    stream.set_option(websocket::stream_base::decorator([&request](websocket::request_type& raw) {
        raw.erase(http::field::user_agent);
        for (const auto& field : request.headers.fields()) {
            raw.insert(field.name, field.value);
        }
        std::string offered;
        for (const std::string& subprotocol : request.subprotocols) {
            offered += (offered.empty() ? "" : ", ") + subprotocol;
        }
        if (!offered.empty()) {
            raw.set(http::field::sec_websocket_protocol, offered);
        }
    }));
    const auto socket = std::make_shared<WebSocketStream<Stream>>(std::move(stream), kQueueBytes);
    websocket::response_type response;
    const auto [error] = co_await socket->stream().async_handshake(response, url.authority, url.target, asTuple);
    // It refers to this frame.
    socket->stream().set_option(websocket::stream_base::decorator([](websocket::request_type&) {}));
    if (error == websocket::error::upgrade_declined) {
        Error refused{core::ErrorCode::ProviderRefused,
            "the server answered the handshake with HTTP " + std::to_string(response.result_int()), std::nullopt,
            std::to_string(response.result_int())};
        co_return core::Unexpected<Error>(std::move(refused));
    }
    if (error) {
        const bool isForeign = error == websocket::condition::handshake_failed;
        co_return core::fail(isForeign ? core::ErrorCode::ProviderMalformed : core::ErrorCode::ProviderUnreachable,
            "the WebSocket handshake failed: " + error.message());
    }
    socket->start();
    co_return std::unique_ptr<WebSocketSession>(std::make_unique<OwnedWebSocket<Stream>>(socket));
}

Awaitable<SocketResult> perform(WebSocketRequest request, Url url)
{
    auto connected = co_await dial(url);
    if (!connected) {
        co_return core::Unexpected<Error>(connected.error());
    }
    connected->expires_never();
    if (!url.isTls) {
        co_return co_await handshake<beast::tcp_stream>(std::move(*connected), std::move(request), std::move(url));
    }
    const auto context = makeClientTls(request.trust);
    if (!context) {
        co_return core::Unexpected<Error>(context.error());
    }
    TlsStream stream(std::move(*connected), **context);
    if (const auto shaken = co_await shakeHands(stream, url); !shaken) {
        co_return core::Unexpected<Error>(shaken.error());
    }
    co_return co_await handshake<TlsStream>(std::move(stream), std::move(request), std::move(url));
}

} // namespace

Awaitable<SocketResult> openWebSocket(WebSocketRequest request)
{
    auto url = parseUrl(request.url, "ws", "wss");
    if (!url) {
        co_return core::Unexpected<Error>(url.error());
    }
    const core::Milliseconds timeout = request.timeout;
    co_return co_await within(timeout, perform(std::move(request), std::move(*url)));
}

} // namespace vivavoce::net
