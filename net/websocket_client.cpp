#include "net/websocket_client.h"

#include "core/base/refused_handshake.h"
#include "net/internal/dial.h"
#include "net/internal/header_block.h"
#include "net/internal/websocket_stream.h"

#include <algorithm>

namespace vivavoce::net {
namespace {

using core::Error;
using SocketResult = core::Expected<std::unique_ptr<WebSocketSession>, Error>;

/// Drops the connection with its last owner, after what the peer is to be told of a fault; the stream itself is shared with its writer.
template <typename Stream>
class OwnedWebSocket final : public WebSocketSession {
public:
    explicit OwnedWebSocket(std::shared_ptr<WebSocketStream<Stream>> stream) : m_stream(std::move(stream)) {}
    ~OwnedWebSocket() override
    {
        asio::post(m_stream->executor(), [stream = m_stream] { stream->letGo(); });
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

std::string joined(const std::vector<std::string>& subprotocols)
{
    std::string offered;
    for (const std::string& subprotocol : subprotocols) {
        offered += (offered.empty() ? "" : ", ") + subprotocol;
    }
    return offered;
}

/// A server may choose only what was offered (RFC 6455 §4.1).
bool isAsOffered(const websocket::response_type& response, const std::vector<std::string>& subprotocols)
{
    const auto chosen = response.find(http::field::sec_websocket_protocol);
    const bool isKnown = chosen == response.end()
        || std::any_of(subprotocols.begin(), subprotocols.end(),
            [&](const std::string& offered) { return chosen->value() == offered; });
    return isKnown && response.find(http::field::sec_websocket_extensions) == response.end();
}

Error handshakeFailure(const ErrorCode& error, unsigned status)
{
    if (error == websocket::error::upgrade_declined) {
        return {core::codeOfRefusedHandshake(static_cast<int>(status)),
            "the server answered the handshake with HTTP " + std::to_string(status), std::nullopt,
            std::to_string(status)};
    }
    const bool isHttp = error.category() == http::make_error_code(http::error::end_of_stream).category()
        && error != http::error::end_of_stream && error != http::error::partial_message;
    const bool isForeign = isHttp || error == websocket::condition::handshake_failed;
    return {isForeign ? core::ErrorCode::ProviderMalformed : core::ErrorCode::ProviderUnreachable,
        "the WebSocket handshake failed: " + error.message(), std::nullopt, {}};
}

template <typename Stream>
Awaitable<SocketResult> handshake(Stream lower, WebSocketRequest request, Url url)
{
    const auto socket = std::make_shared<WebSocketStream<Stream>>(
        std::move(lower), WebSocketLimits{request.maxMessageBytes, request.queueBytes, request.silence});
    socket->decorate([&request](websocket::request_type& raw) {
        raw.erase(http::field::user_agent);
        for (const auto& field : request.headers.fields()) {
            raw.insert(field.name, field.value);
        }
        if (!request.subprotocols.empty()) {
            raw.set(http::field::sec_websocket_protocol, joined(request.subprotocols));
        }
    });
    websocket::response_type response;
    const auto error = co_await socket->handshake(response, url.authority, url.target);
    if (error) {
        co_return core::Unexpected<Error>(handshakeFailure(error, response.result_int()));
    }
    auto session = std::make_unique<OwnedWebSocket<Stream>>(socket);
    if (!isAsOffered(response, request.subprotocols)) {
        co_return core::fail(
            core::ErrorCode::ProviderMalformed, "the server chose a subprotocol or an extension that was not offered");
    }
    co_return std::unique_ptr<WebSocketSession>(std::move(session));
}

/// Where a host is, is not known any more unless it is found to be there, also when somebody gives up waiting for it.
class Place {
public:
    Place(DialMemory::State* memory, std::string authority) : m_memory(memory), m_authority(std::move(authority)) {}
    ~Place()
    {
        if (m_memory != nullptr) {
            m_memory->forget(m_authority);
        }
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    void isRight() { m_memory = nullptr; }

private:
    DialMemory::State* m_memory;
    const std::string m_authority;
};

template <typename Stream>
Awaitable<SocketResult> handshakeAt(Place& place, Stream lower, WebSocketRequest request, Url url)
{
    auto opened = co_await handshake<Stream>(std::move(lower), std::move(request), std::move(url));
    if (opened) {
        place.isRight();
    }
    co_return std::move(opened);
}

Awaitable<SocketResult> perform(WebSocketRequest request, Url url)
{
    const auto memory = request.memory;
    DialMemory::State* const known = memory == nullptr ? nullptr : &memory->state();
    Place place(known, url.authority);
    auto connected = co_await dial(url, known);
    if (!connected) {
        co_return core::Unexpected<Error>(connected.error());
    }
    if (!url.isTls) {
        co_return co_await handshakeAt<TcpSocket>(place, std::move(*connected), std::move(request), std::move(url));
    }
    const auto context = known == nullptr ? makeClientTls(request.trust) : known->context(request.trust);
    if (!context) {
        co_return core::Unexpected<Error>(context.error());
    }
    TlsStream stream(std::move(*connected), **context);
    const auto shaken = co_await shakeHands(stream, url, known);
    if (!shaken) {
        co_return core::Unexpected<Error>(shaken.error());
    }
    co_return co_await handshakeAt<TlsStream>(place, std::move(stream), std::move(request), std::move(url));
}

} // namespace

Awaitable<SocketResult> openWebSocket(WebSocketRequest request)
{
    auto url = parseUrl(request.url, "ws", "wss");
    if (!url) {
        co_return core::Unexpected<Error>(url.error());
    }
    const bool isOffer = std::all_of(request.subprotocols.begin(), request.subprotocols.end(), isToken);
    if (!isOffer || !areSendable(request.headers)) {
        co_return core::fail(core::ErrorCode::BadConfiguration, "a header field holds a character that cannot be sent");
    }
    const core::Milliseconds timeout = request.timeout;
    co_return co_await within(timeout, perform(std::move(request), std::move(*url)));
}

} // namespace vivavoce::net
