#include "net/internal/http_session.h"

#include "core/base/base64.h"
#include "core/base/random_id.h"
#include "core/base/secret.h"
#include "net/internal/header_block.h"
#include "net/internal/outgoing_response.h"
#include "net/internal/request_reader.h"
#include "net/internal/streamed_body.h"
#include "net/internal/watchdog.h"
#include "net/internal/websocket_stream.h"
#include "net/internal/wire.h"

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <tuple>
#include <variant>

namespace vivavoce::net {
namespace {

using namespace asio::experimental::awaitable_operators;
using UpgradeAnswer = core::Expected<WebSocketAccept, HttpResponse>;

constexpr core::Milliseconds kLinger{500};
constexpr core::Milliseconds kClosePatience{1000};

bool offersWebSocket(const HttpRequest& request)
{
    const auto upgrade = request.headers.find("Upgrade");
    return request.method == "GET" && upgrade
        && http::token_list(beast::string_view(upgrade->data(), upgrade->size())).exists("websocket");
}

/// 16 bytes as base64 (RFC 6455 §4.1).
bool hasGoodKey(const HttpRequest& request)
{
    const auto key = request.headers.find("Sec-WebSocket-Key");
    const auto bytes = key ? core::decodeBase64(*key) : std::nullopt;
    return bytes && bytes->size() == 16 && request.headers.count("Sec-WebSocket-Key") == 1;
}

/// 426 says what to upgrade to (RFC 9110 §15.5.22, RFC 6455 §4.4).
HttpResponse upgradeRequired(const Router& router, const HttpRequest& request)
{
    HttpResponse response = router.unrouted(request, 426);
    response.headers.set("Upgrade", "websocket");
    response.headers.set("Connection", "Upgrade");
    response.headers.set("Sec-WebSocket-Version", "13");
    return response;
}

/// What one throws that is cancelled is thrown on: it has no answer, and none is to be made and counted for it.
Awaitable<> throwOnIfCancelled(std::exception_ptr thrown)
{
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        std::rethrow_exception(thrown);
    }
}

/// A handler's answer; whatever it throws becomes 500, and the text of it stays here.
Awaitable<HttpResponse> guarded(const HttpHandler& handler, const HttpRequest& request, const Router& router)
{
    std::exception_ptr thrown;
    try {
        co_return co_await handler(request);
    } catch (...) {
        thrown = std::current_exception();
    }
    co_await throwOnIfCancelled(thrown);
    co_return router.unrouted(request, 500);
}

Awaitable<UpgradeAnswer> guarded(const UpgradeHandler& handler, const HttpRequest& request, const Router& router)
{
    std::exception_ptr thrown;
    try {
        co_return co_await handler(request);
    } catch (...) {
        thrown = std::current_exception();
    }
    co_await throwOnIfCancelled(thrown);
    co_return core::Unexpected<HttpResponse>(router.unrouted(request, 500));
}

/// Of the 101, as every answer has them.
core::HttpHeaders fieldsOf(const HttpRequest& request, const Router& router)
{
    HttpResponse response;
    response.status = 101;
    router.finish(request, response);
    return areSendable(response.headers) ? std::move(response.headers) : core::HttpHeaders();
}

/// Runs a session; false if it threw.
Awaitable<bool> hasRunThrough(const WebSocketAccept& accept, WebSocketSession& session)
{
    try {
        co_await accept.run(session);
    } catch (...) {
        co_return false;
    }
    co_return true;
}

/// The same of a body.
Awaitable<bool> isMade(const std::function<Awaitable<>(BodyWriter&)>& make, BodyWriter& body)
{
    try {
        co_await make(body);
    } catch (...) {
        co_return false;
    }
    co_return true;
}

template <typename Stream>
class HttpSessionOn final : public HttpSession {
public:
    HttpSessionOn(std::shared_ptr<ServerCore> serverCore, Stream stream, Peer peer)
        : m_core(std::move(serverCore)),
          m_stream(std::move(stream)),
          m_executor(m_stream.get_executor()),
          m_peer(std::move(peer)),
          m_watchdog(lowest()),
          m_reader(m_stream, m_core->config.limits)
    {
    }

    [[nodiscard]] IoExecutor executor() const override { return m_executor; }

    Awaitable<> run() override
    {
        try {
            if constexpr (kIsTls) {
                m_watchdog.watch(limits().headerTimeout);
                const auto [error] = co_await m_stream.async_handshake(ssl::stream_base::server, asTuple);
                m_watchdog.rest();
                if (error) {
                    co_return;
                }
            }
            bool goesOn = true;
            while (goesOn) {
                goesOn = co_await serveOne();
            }
            // Here, so that what led to it is not kept in memory for the life of the session.
            if (m_upgrade != nullptr) {
                co_await runWebSocket();
            }
        } catch (...) {
            // Cancelled, or out of something: the connection ends, the server goes on.
        }
        drop();
    }

    void goAway() override
    {
        if (m_webSocket != nullptr) {
            // While hands are still being shaken there is nothing to close; runWebSocket looks when they are.
            if (m_webSocket->isOpen()) {
                asio::co_spawn(m_executor, sayGoingAway(m_webSocket), asio::detached);
            }
        } else if (m_reader.isIdle()) {
            ErrorCode ignored;
            lowest().cancel(ignored);
        }
    }

    void drop() override
    {
        if (m_webSocket != nullptr) {
            m_webSocket->drop();
        } else if (!m_isHandedOver) {
            ErrorCode ignored;
            lowest().close(ignored);
        }
    }

private:
    static constexpr bool kIsTls = !std::is_same_v<Stream, TcpSocket>;

    [[nodiscard]] const ServerLimits& limits() const { return m_core->config.limits; }
    [[nodiscard]] TcpSocket& lowest() { return beast::get_lowest_layer(m_stream); }

    static Awaitable<> sayGoingAway(std::shared_ptr<WebSocketStream<Stream>> socket)
    {
        co_await socket->close(1001, "the server is going away", kClosePatience);
    }

    /// One request and its answer; false ends the connection.
    Awaitable<bool> serveOne()
    {
        if (m_core->isDraining && !m_reader.hasMore()) {
            co_return false;
        }
        HttpRequest request;
        request.peer = m_peer;
        // A connection that waits keeps no routes alive that the server has replaced.
        m_router.reset();
        Arrival arrival = co_await m_reader.read(request);
        m_router = m_core->face.router();
        if (arrival.kind == Arrival::Kind::Gone) {
            co_return false;
        }
        request.id = core::randomId();
        if (arrival.kind == Arrival::Kind::Refused) {
            co_return co_await respond(request, m_router->unrouted(request, arrival.refusal), arrival.version, false);
        }
        if (offersWebSocket(request)) {
            co_return co_await upgrade(request, arrival);
        }
        HttpResponse response = co_await answer(request);
        co_return co_await respond(
            request, std::move(response), arrival.version, arrival.keepsAlive && !m_core->isDraining);
    }

    Awaitable<HttpResponse> answer(const HttpRequest& request)
    {
        const Router& router = *m_router;
        const HttpHandler* handler = router.find(request.method, request.path);
        if (handler == nullptr) {
            if (request.method == "GET" && router.findWebSocket(request.path) != nullptr) {
                co_return upgradeRequired(router, request);
            }
            const std::string allowed = router.allowedMethods(request.path);
            HttpResponse response = router.unrouted(request, allowed.empty() ? 404 : 405);
            if (!allowed.empty()) {
                response.headers.set("Allow", allowed);
            }
            co_return response;
        }
        Timer deadline(m_executor, limits().handlerTimeout);
        auto result = co_await (guarded(*handler, request, router) || deadline.async_wait(asTuple));
        if (auto* response = std::get_if<0>(&result)) {
            co_return std::move(*response);
        }
        co_return router.unrouted(request, 503);
    }

    Awaitable<bool> respond(const HttpRequest& request, HttpResponse response, unsigned version, bool keepsAlive)
    {
        m_router->finish(request, response);
        if (!areSendable(response.headers)) {
            // A handler let something of the request into a field: sending it could end the field and begin another answer.
            response = m_router->unrouted(request, 500);
            m_router->finish(request, response);
        }
        if (!areSendable(response.headers)) {
            response = {};
            response.status = 500;
        }
        if (response.stream && request.method != "HEAD") {
            const bool isAgain = co_await respondInParts(request, std::move(response), version, keepsAlive);
            co_return isAgain;
        }
        std::string bytes = wireBytes(makeOutgoing(request, std::move(response), version, keepsAlive));
        m_watchdog.watch(limits().bodyTimeout);
        const auto [error, size] = co_await asio::async_write(m_stream, asio::buffer(bytes), asTuple);
        m_watchdog.rest();
        // A body may have held a token.
        core::wipeString(bytes);
        if (!keepsAlive && !error) {
            co_await linger();
        }
        co_return !error && keepsAlive;
    }

    Awaitable<bool> respondInParts(const HttpRequest& request, HttpResponse response, unsigned version, bool keepsAlive)
    {
        constexpr unsigned kFirstWithChunks = 11;
        const bool isChunked = version >= kFirstWithChunks;
        keepsAlive = keepsAlive && isChunked;
        const auto make = std::move(response.stream);
        http::response<http::string_body> raw = makeOutgoing(request, std::move(response), version, keepsAlive);
        raw.erase(http::field::content_length);
        raw.chunked(isChunked);
        const std::string head = wireBytes(std::move(raw), true);
        m_watchdog.watch(limits().bodyTimeout);
        const auto [error, size] = co_await asio::async_write(m_stream, asio::buffer(head), asTuple);
        m_watchdog.rest();
        if (error) {
            co_return false;
        }
        StreamedBody<Stream> body(m_stream, m_watchdog, limits().bodyTimeout, isChunked);
        const auto made = co_await (isMade(make, body) || body.readerLeft());
        const auto* isWhole = std::get_if<0>(&made);
        bool isFinished = false;
        if (isWhole != nullptr && *isWhole) {
            isFinished = co_await body.finish();
        }
        // Cut off, a body without its last chunk is known to be one.
        if (!keepsAlive && isWhole != nullptr && *isWhole) {
            co_await linger();
        }
        co_return isFinished&& keepsAlive;
    }

    /// Lets a client that still sends read our answer: closing at once would reset the connection under it.
    Awaitable<> linger()
    {
        m_watchdog.watch(kLinger);
        if constexpr (kIsTls) {
            co_await m_stream.async_shutdown(asTuple);
        }
        ErrorCode ignored;
        lowest().shutdown(tcp::socket::shutdown_send, ignored);
        std::array<char, 4096> dropped{};
        ErrorCode error;
        while (!error && !m_watchdog.hasBarked()) {
            std::tie(error, std::ignore) = co_await lowest().async_read_some(asio::buffer(dropped), asTuple);
        }
        m_watchdog.rest();
    }

    Awaitable<bool> upgrade(const HttpRequest& request, Arrival& arrival)
    {
        const Router& router = *m_router;
        const UpgradeHandler* handler = router.findWebSocket(request.path);
        if (handler == nullptr) {
            const unsigned status = router.allowedMethods(request.path).empty() ? 404 : 400;
            co_return co_await respond(request, router.unrouted(request, status), arrival.version, false);
        }
        if (request.headers.find("Sec-WebSocket-Version").value_or("") != "13") {
            co_return co_await respond(request, upgradeRequired(router, request), arrival.version, false);
        }
        // What follows the request at once cannot be for a WebSocket that is not there yet.
        if (!websocket::is_upgrade(arrival.raw) || !hasGoodKey(request) || arrival.hasBody || m_reader.hasMore()) {
            co_return co_await respond(request, router.unrouted(request, 400), arrival.version, false);
        }
        if (m_core->isDraining) {
            co_return co_await respond(request, router.unrouted(request, 503), arrival.version, false);
        }
        Timer deadline(m_executor, limits().handlerTimeout);
        auto result = co_await (guarded(*handler, request, router) || deadline.async_wait(asTuple));
        auto* welcome = std::get_if<0>(&result);
        if (welcome == nullptr) {
            co_return co_await respond(request, router.unrouted(request, 503), arrival.version, false);
        }
        if (!*welcome) {
            co_return co_await respond(request, std::move(welcome->error()), arrival.version, false);
        }
        if (!(*welcome)->subprotocol.empty() && !isToken((*welcome)->subprotocol)) {
            co_return co_await respond(request, router.unrouted(request, 500), arrival.version, false);
        }
        m_upgrade =
            std::make_unique<Upgrade>(Upgrade{std::move(**welcome), std::move(arrival.raw), fieldsOf(request, router)});
        if (!m_upgrade->accept.subprotocol.empty()) {
            m_upgrade->fields.set("Sec-WebSocket-Protocol", m_upgrade->accept.subprotocol);
        }
        co_return false;
    }

    Awaitable<> runWebSocket()
    {
        m_reader.finish();
        m_isHandedOver = true;
        const auto socket = std::make_shared<WebSocketStream<Stream>>(std::move(m_stream),
            WebSocketLimits{m_upgrade->accept.maxMessageBytes,
                m_upgrade->accept.queueBytes.value_or(limits().webSocketQueueBytes),
                m_upgrade->accept.silence.value_or(limits().webSocketSilence), limits().webSocketMessageTime,
                std::shared_ptr<MessageRoom>(m_core, &m_core->room)});
        m_webSocket = socket;
        const auto error =
            co_await socket->accept(m_upgrade->raw, std::move(m_upgrade->fields), limits().headerTimeout);
        if (error) {
            co_return;
        }
        m_upgrade->raw = {};
        if (m_core->isDraining) {
            goAway();
        }
        const bool isFine = co_await hasRunThrough(m_upgrade->accept, *socket);
        co_await socket->close(isFine ? 1000 : 1011, {}, kClosePatience);
    }

    std::shared_ptr<ServerCore> m_core;
    Stream m_stream;
    IoExecutor m_executor;
    Peer m_peer;
    /// For all but reading requests.
    Watchdog m_watchdog;
    RequestReader<Stream> m_reader;
    /// The one that the request at hand is answered by.
    std::shared_ptr<const Router> m_router;
    /// A WebSocket that is welcome.
    struct Upgrade {
        WebSocketAccept accept;
        http::request<http::string_body> raw;
        core::HttpHeaders fields;
    };
    std::unique_ptr<Upgrade> m_upgrade;
    /// The stream has become the WebSocket's.
    bool m_isHandedOver = false;
    std::shared_ptr<WebSocketStream<Stream>> m_webSocket;
};

} // namespace

asio::ip::address plainAddress(const asio::ip::address& address)
{
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    return address;
}

asio::ip::address networkOf(const asio::ip::address& address)
{
    constexpr std::ptrdiff_t kNetworkBytes = 8;
    asio::ip::address plain = plainAddress(address);
    if (plain.is_v4()) {
        return plain;
    }
    auto bytes = plain.to_v6().to_bytes();
    std::fill(bytes.begin() + kNetworkBytes, bytes.end(), std::uint8_t{0});
    return asio::ip::address_v6(bytes);
}

std::shared_ptr<HttpSession> HttpSession::create(
    std::shared_ptr<ServerCore> core, TcpSocket socket, const tcp::endpoint& remote)
{
    const asio::ip::address address = plainAddress(remote.address());
    Peer peer;
    peer.address = address.to_string();
    peer.port = remote.port();
    peer.isLoopback = address.is_loopback();
    const auto tls = core->face.tls();
    peer.isTls = tls != nullptr;
    ErrorCode ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    if (tls != nullptr) {
        TlsStream stream(std::move(socket), *tls);
        return std::make_shared<HttpSessionOn<TlsStream>>(std::move(core), std::move(stream), std::move(peer));
    }
    return std::make_shared<HttpSessionOn<TcpSocket>>(std::move(core), std::move(socket), std::move(peer));
}

} // namespace vivavoce::net
