#include "net/internal/http_session.h"

#include "core/base/base64.h"
#include "core/base/random_id.h"
#include "net/internal/header_block.h"
#include "net/internal/websocket_stream.h"

#include <optional>
#include <tuple>
#include <variant>

namespace vivavoce::net {
namespace {

using namespace asio::experimental::awaitable_operators;

/// Answers with this when a request cannot even be read; 0 means that there is nobody to answer.
struct ReadResult {
    unsigned refusal = 0;
    bool isOver = false;
};

template <typename Body>
void copyHeaders(const http::request<Body>& from, core::HttpHeaders& to)
{
    for (const auto& field : from) {
        to.add(std::string(field.name_string()), std::string(field.value()));
    }
}

/// "//v1/x" is "/v1/x".
std::string foldSlashes(std::string_view path)
{
    std::string folded;
    for (const char c : path) {
        if (c != '/' || folded.empty() || folded.back() != '/') {
            folded += c;
        }
    }
    return folded;
}

bool offersWebSocket(const HttpRequest& request)
{
    const auto upgrade = request.headers.find("Upgrade");
    return request.method == "GET" && upgrade && core::equalsIgnoreCase(*upgrade, "websocket");
}

/// 16 bytes as base64 (RFC 6455 §4.1).
bool hasGoodKey(const HttpRequest& request)
{
    const auto key = request.headers.find("Sec-WebSocket-Key");
    const auto bytes = key ? core::decodeBase64(*key) : std::nullopt;
    return bytes && bytes->size() == 16 && request.headers.count("Sec-WebSocket-Key") == 1;
}

/// A handler's answer; whatever it throws becomes 500, and the text of it stays here.
Awaitable<HttpResponse> guarded(const HttpHandler& handler, const HttpRequest& request, const Router& router)
{
    try {
        co_return co_await handler(request);
    } catch (const std::exception&) {
        co_return router.unrouted(request, 500);
    }
}

Awaitable<core::Expected<WebSocketAccept, HttpResponse>> guarded(
    const UpgradeHandler& handler, const HttpRequest& request, const Router& router)
{
    try {
        co_return co_await handler(request);
    } catch (const std::exception&) {
        co_return core::Unexpected<HttpResponse>(router.unrouted(request, 500));
    }
}

template <typename Stream>
class HttpSessionOn final : public HttpSession {
public:
    HttpSessionOn(std::shared_ptr<ServerCore> serverCore, Stream stream, Peer peer)
        : m_core(std::move(serverCore)),
          m_stream(std::move(stream)),
          m_executor(m_stream.get_executor()),
          m_peer(std::move(peer)),
          m_readDeadline(m_executor)
    {
    }

    [[nodiscard]] IoExecutor executor() const override { return m_executor; }

    Awaitable<> run() override
    {
        try {
            if constexpr (!std::is_same_v<Stream, beast::tcp_stream>) {
                lowest().expires_after(limits().headerTimeout);
                const auto [error] = co_await m_stream.async_handshake(ssl::stream_base::server, asTuple);
                if (error) {
                    co_return;
                }
            }
            while (co_await serveOne()) {
            }
        } catch (const std::exception&) {
            // Cancelled, or out of something: the connection ends, the server goes on.
        }
        if (m_webSocket != nullptr) {
            m_webSocket->drop();
        } else {
            ErrorCode ignored;
            lowest().socket().shutdown(tcp::socket::shutdown_both, ignored);
            lowest().close();
        }
    }

    void goAway() override
    {
        if (m_webSocket != nullptr) {
            asio::co_spawn(
                m_executor,
                [socket = m_webSocket]() -> Awaitable<> {
                    co_await socket->close(1001, "the server is going away", core::Milliseconds{1000});
                },
                asio::detached);
        } else if (m_isIdle) {
            m_readDeadline.cancel();
        }
    }

private:
    [[nodiscard]] const ServerLimits& limits() const { return m_core->config.limits; }
    [[nodiscard]] beast::tcp_stream& lowest() { return beast::get_lowest_layer(m_stream); }

    /// The result of a read, or beast::error::timeout at m_readDeadline. Beast's own timeout would close the socket, and with it
    /// the way for the 408.
    Awaitable<std::tuple<ErrorCode, std::size_t>> inTime(Awaitable<std::tuple<ErrorCode, std::size_t>> read)
    {
        auto result = co_await (std::move(read) || m_readDeadline.async_wait(asTuple));
        if (auto* done = std::get_if<0>(&result)) {
            co_return *done;
        }
        co_return std::tuple<ErrorCode, std::size_t>(beast::error::timeout, 0);
    }

    /// One request and its answer; false ends the connection.
    Awaitable<bool> serveOne()
    {
        http::request_parser<http::string_body> parser;
        const ReadResult read = co_await readRequest(parser);
        if (read.isOver) {
            co_return false;
        }
        HttpRequest request;
        request.peer = m_peer;
        request.id = core::randomId();
        if (read.refusal != 0) {
            co_await respond(request, m_core->router.unrouted(request, read.refusal), 11, false);
            co_return false;
        }
        http::request<http::string_body> raw = parser.release();
        takeOver(raw, request);
        if (offersWebSocket(request)) {
            co_return co_await upgrade(request, raw);
        }
        HttpResponse response = co_await answer(request);
        const bool keepsAlive = raw.keep_alive() && !m_core->isDraining;
        co_return co_await respond(request, std::move(response), raw.version(), keepsAlive);
    }

    void takeOver(http::request<http::string_body>& raw, HttpRequest& request)
    {
        request.method = std::string(raw.method_string());
        const std::string_view target(raw.target().data(), raw.target().size());
        const std::size_t question = target.find('?');
        request.path = foldSlashes(target.substr(0, question));
        request.query = question == std::string_view::npos ? std::string() : std::string(target.substr(question + 1));
        copyHeaders(raw, request.headers);
        request.body = std::move(raw.body());
    }

    Awaitable<ReadResult> readRequest(http::request_parser<http::string_body>& parser)
    {
        m_isIdle = m_buffer.size() == 0;
        if (m_isIdle && m_core->isDraining) {
            co_return ReadResult{0, true};
        }
        lowest().expires_never();
        m_readDeadline.expires_after(m_isIdle ? limits().idleTimeout : limits().headerTimeout);
        while (std::string_view(static_cast<const char*>(m_buffer.data().data()), m_buffer.size()).find("\r\n\r\n")
            == std::string_view::npos) {
            if (m_buffer.size() >= limits().maxHeaderBytes) {
                co_return ReadResult{431, false};
            }
            const auto [error, size] = co_await inTime(
                m_stream.async_read_some(m_buffer.prepare(limits().maxHeaderBytes - m_buffer.size()), asTuple));
            m_buffer.commit(size);
            if (error) {
                const bool isLate = error == beast::error::timeout && m_buffer.size() > 0;
                m_isIdle = false;
                co_return ReadResult{isLate ? 408U : 0U, !isLate};
            }
            if (m_isIdle) {
                m_isIdle = false;
                // The first byte is here: from now on the whole block has to come in its own time.
                m_readDeadline.expires_after(limits().headerTimeout);
            }
        }
        m_isIdle = false;
        co_return co_await readWhole(parser);
    }

    Awaitable<ReadResult> readWhole(http::request_parser<http::string_body>& parser)
    {
        const std::string_view text(static_cast<const char*>(m_buffer.data().data()), m_buffer.size());
        const std::string_view block = text.substr(0, text.find("\r\n\r\n") + 4);
        const std::size_t targetEnd = block.find(' ', block.find(' ') + 1);
        if (targetEnd != std::string_view::npos && targetEnd > limits().maxTargetBytes) {
            co_return ReadResult{414, false};
        }
        if (!isCleanHeaderBlock(block)) {
            co_return ReadResult{400, false};
        }
        parser.header_limit(static_cast<std::uint32_t>(limits().maxHeaderBytes));
        parser.body_limit(limits().maxBodyBytes);
        const auto [headerError, headerSize] = co_await http::async_read_header(m_stream, m_buffer, parser, asTuple);
        if (headerError) {
            co_return ReadResult{headerError == http::error::body_limit ? 413U : 400U, false};
        }
        if (const auto expect = parser.get().find(http::field::expect); expect != parser.get().end()) {
            if (!beast::iequals(expect->value(), "100-continue")) {
                co_return ReadResult{417, false};
            }
            co_await asio::async_write(
                m_stream, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), asTuple);
        }
        m_readDeadline.expires_after(limits().bodyTimeout);
        const auto [error, size] = co_await inTime(http::async_read(m_stream, m_buffer, parser, asTuple));
        if (!error) {
            co_return ReadResult{};
        }
        if (error == beast::error::timeout) {
            co_return ReadResult{408, false};
        }
        const bool isTooBig = error == http::error::body_limit || error == http::error::buffer_overflow;
        const bool isGone = error == asio::error::eof || error == http::error::partial_message
            || error == asio::error::connection_reset || error == asio::error::operation_aborted;
        co_return ReadResult{isTooBig ? 413U : 400U, isGone};
    }

    Awaitable<HttpResponse> answer(const HttpRequest& request)
    {
        const Router& router = m_core->router;
        const HttpHandler* handler = router.find(request.method, request.path);
        if (handler == nullptr) {
            const std::string allowed = router.allowedMethods(request.path);
            HttpResponse response = router.unrouted(request, allowed.empty() ? 404 : 405);
            if (!allowed.empty()) {
                response.headers.set("Allow", allowed);
            }
            co_return response;
        }
        lowest().expires_never();
        asio::steady_timer deadline(m_executor, limits().handlerTimeout);
        auto result = co_await (guarded(*handler, request, router) || deadline.async_wait(asTuple));
        if (auto* response = std::get_if<0>(&result)) {
            co_return std::move(*response);
        }
        co_return router.unrouted(request, 503);
    }

    Awaitable<bool> respond(const HttpRequest& request, HttpResponse response, unsigned version, bool keepsAlive)
    {
        m_core->router.finish(request, response);
        http::response<http::string_body> raw(static_cast<http::status>(response.status), version);
        for (const auto& field : response.headers.fields()) {
            raw.insert(field.name, field.value);
        }
        raw.keep_alive(keepsAlive);
        raw.body() = std::move(response.body);
        if (response.status != 204 && response.status != 304) {
            raw.content_length(raw.body().size());
        }
        if (request.method == "HEAD") {
            raw.body().clear();
        }
        lowest().expires_after(limits().bodyTimeout);
        const auto [error, size] = co_await http::async_write(m_stream, raw, asTuple);
        // A body may have held a token.
        std::fill(raw.body().begin(), raw.body().end(), '\0');
        if (!keepsAlive && !error) {
            co_await linger();
        }
        co_return !error && keepsAlive;
    }

    /// Lets a client that still sends read our answer: closing at once would reset the connection under it.
    Awaitable<> linger()
    {
        ErrorCode ignored;
        lowest().socket().shutdown(tcp::socket::shutdown_send, ignored);
        lowest().expires_after(core::Milliseconds{500});
        std::size_t drained = 0;
        while (drained < limits().maxBodyBytes) {
            m_buffer.clear();
            const auto [error, size] = co_await lowest().async_read_some(m_buffer.prepare(4096), asTuple);
            drained += size;
            if (error) {
                break;
            }
        }
    }

    Awaitable<bool> upgrade(const HttpRequest& request, const http::request<http::string_body>& raw)
    {
        const UpgradeHandler* handler = m_core->router.findWebSocket(request.path);
        const auto refuse = [&](unsigned status) { return m_core->router.unrouted(request, status); };
        if (handler == nullptr) {
            co_return co_await respond(
                request, refuse(m_core->router.allowedMethods(request.path).empty() ? 404 : 400), raw.version(), false);
        }
        if (request.headers.find("Sec-WebSocket-Version").value_or("") != "13") {
            HttpResponse response = refuse(426);
            response.headers.set("Sec-WebSocket-Version", "13");
            co_return co_await respond(request, std::move(response), raw.version(), false);
        }
        // Whoever sends frames before our answer (RFC 6455 §4.1) may as well mean another request.
        if (!websocket::is_upgrade(raw) || !hasGoodKey(request) || m_buffer.size() > 0) {
            co_return co_await respond(request, refuse(400), raw.version(), false);
        }
        if (m_core->isDraining) {
            co_return co_await respond(request, refuse(503), raw.version(), false);
        }
        core::Expected<WebSocketAccept, HttpResponse> accept = co_await guarded(*handler, request, m_core->router);
        if (!accept) {
            co_return co_await respond(request, std::move(accept.error()), raw.version(), false);
        }
        co_await runWebSocket(*accept, raw);
        co_return false;
    }

    Awaitable<> runWebSocket(const WebSocketAccept& accept, const http::request<http::string_body>& raw)
    {
        lowest().expires_never();
        websocket::stream<Stream> stream(std::move(m_stream));
        websocket::stream_base::timeout timeout{};
        timeout.handshake_timeout = limits().headerTimeout;
        // Beast pings at half of it, so that one lost ping is no lost peer.
        timeout.idle_timeout = limits().webSocketSilence;
        timeout.keep_alive_pings = true;
        stream.set_option(timeout);
        stream.read_message_max(accept.maxMessageBytes);
        stream.auto_fragment(false);
        const std::string subprotocol = accept.subprotocol;
        stream.set_option(websocket::stream_base::decorator([subprotocol](websocket::response_type& response) {
            response.erase(http::field::server);
            if (!subprotocol.empty()) {
                response.set(http::field::sec_websocket_protocol, subprotocol);
            }
        }));
        const auto socket = std::make_shared<WebSocketStream<Stream>>(std::move(stream), limits().webSocketQueueBytes);
        m_webSocket = socket;
        const auto [error] = co_await socket->stream().async_accept(raw, asTuple);
        if (error) {
            co_return;
        }
        socket->start();
        co_await accept.run(*socket);
        co_await socket->close(1000, {}, core::Milliseconds{1000});
    }

    std::shared_ptr<ServerCore> m_core;
    Stream m_stream;
    IoExecutor m_executor;
    Peer m_peer;
    asio::steady_timer m_readDeadline;
    beast::flat_buffer m_buffer;
    bool m_isIdle = false;
    std::shared_ptr<WebSocketStream<Stream>> m_webSocket;
};

} // namespace

std::shared_ptr<HttpSession> HttpSession::create(std::shared_ptr<ServerCore> core, tcp::socket socket)
{
    Peer peer;
    ErrorCode error;
    const tcp::endpoint remote = socket.remote_endpoint(error);
    peer.address = remote.address().to_string();
    peer.port = remote.port();
    peer.isLoopback = !error && remote.address().is_loopback();
    peer.isTls = core->tls != nullptr;
    socket.set_option(tcp::no_delay(true), error);
    if (core->tls != nullptr) {
        TlsStream stream(beast::tcp_stream(std::move(socket)), *core->tls);
        return std::make_shared<HttpSessionOn<TlsStream>>(std::move(core), std::move(stream), std::move(peer));
    }
    return std::make_shared<HttpSessionOn<beast::tcp_stream>>(
        std::move(core), beast::tcp_stream(std::move(socket)), std::move(peer));
}

} // namespace vivavoce::net
