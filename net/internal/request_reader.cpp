#include "net/internal/request_reader.h"

#include <algorithm>
#include <utility>

namespace vivavoce::net {
namespace {

/// What is asked for at a time while a header block comes: most are shorter.
constexpr std::size_t kReadSize = 4096;

Arrival refused(unsigned status)
{
    Arrival arrival;
    arrival.kind = Arrival::Kind::Refused;
    arrival.refusal = status;
    return arrival;
}

Arrival going()
{
    Arrival arrival;
    arrival.kind = Arrival::Kind::Request;
    return arrival;
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

/// A target in absolute form stands for its path, and its authority for the Host (RFC 9112 §3.2.2).
std::string_view originForm(std::string_view target, core::HttpHeaders& headers)
{
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!core::equalsIgnoreCase(target.substr(0, scheme.size()), scheme)) {
            continue;
        }
        target.remove_prefix(scheme.size());
        const std::size_t end = std::min(target.find_first_of("/?"), target.size());
        headers.set("Host", std::string(target.substr(0, end)));
        target.remove_prefix(end);
        return target.empty() ? std::string_view("/") : target;
    }
    return target;
}

template <typename Header>
void takeOver(const Header& raw, HttpRequest& request)
{
    for (const auto& field : raw) {
        request.headers.add(std::string(field.name_string()), std::string(field.value()));
    }
    request.method = std::string(raw.method_string());
    const std::string_view target = originForm({raw.target().data(), raw.target().size()}, request.headers);
    const std::size_t question = target.find('?');
    request.path = foldSlashes(target.substr(0, question));
    if (request.path.empty()) {
        request.path = "/";
    }
    request.query = question == std::string_view::npos ? std::string() : std::string(target.substr(question + 1));
}

bool isGone(const ErrorCode& error)
{
    return error.category() != http::make_error_code(http::error::end_of_stream).category()
        || error == http::error::partial_message || error == http::error::end_of_stream;
}

} // namespace

template <typename Stream>
Awaitable<Arrival> RequestReader<Stream>::read(HttpRequest& request)
{
    HeaderScanner scanner;
    Arrival arrival = co_await readBlock(scanner);
    if (arrival.kind == Arrival::Kind::Request) {
        http::request_parser<http::string_body> parser;
        arrival = parseBlock(scanner.size(), parser, request);
        if (arrival.kind == Arrival::Kind::Request && arrival.hasBody) {
            const bool isAwaited = request.headers.find("Expect").has_value() && arrival.version == 11;
            arrival = co_await readBody(parser, std::move(arrival), isAwaited);
        }
        if (arrival.kind == Arrival::Kind::Request) {
            arrival.raw = parser.release();
            request.body = std::move(arrival.raw.body());
        }
    }
    m_watchdog.rest();
    co_return arrival;
}

template <typename Stream>
Awaitable<Arrival> RequestReader<Stream>::readBlock(HeaderScanner& scanner)
{
    skipEmptyLine();
    m_isIdle = !hasMore();
    m_watchdog.watch(m_isIdle ? m_limits.idleTimeout : m_limits.headerTimeout);
    while (true) {
        const HeaderScanner::State state = scanner.scan(text());
        if (state == HeaderScanner::State::Broken) {
            co_return refused(400);
        }
        if (m_buffer.size() >= m_limits.maxHeaderBytes
            && (state == HeaderScanner::State::Incomplete || scanner.size() > m_limits.maxHeaderBytes)) {
            co_return refused(text().find("\r\n") == std::string_view::npos ? 414 : 431);
        }
        if (state == HeaderScanner::State::Complete) {
            co_return going();
        }
        const std::size_t room = std::min(kReadSize, m_limits.maxHeaderBytes - m_buffer.size());
        const auto [error, size] = co_await m_stream.async_read_some(m_buffer.prepare(room), asTuple);
        m_buffer.commit(size);
        const bool wasIdle = std::exchange(m_isIdle, false);
        if (m_watchdog.hasBarked()) {
            const bool hasSaidNothing = wasIdle && size == 0;
            co_return hasSaidNothing ? Arrival() : refused(408);
        }
        if (error) {
            co_return Arrival();
        }
        if (wasIdle) {
            // The first byte is here: from now on the whole block has to come in its own time.
            m_watchdog.watch(m_limits.headerTimeout);
            skipEmptyLine();
        }
    }
}

/// One empty line before a request is let pass (RFC 9112 §2.2).
template <typename Stream>
void RequestReader<Stream>::skipEmptyLine()
{
    if (text().substr(0, 2) == "\r\n") {
        m_buffer.consume(2);
    }
}

template <typename Stream>
Arrival RequestReader<Stream>::parseBlock(
    std::size_t size, http::request_parser<http::string_body>& parser, HttpRequest& request)
{
    const std::string_view block = text().substr(0, size);
    const std::size_t methodEnd = block.find(' ');
    const std::size_t targetEnd = methodEnd == std::string_view::npos ? methodEnd : block.find(' ', methodEnd + 1);
    if (targetEnd != std::string_view::npos && targetEnd - methodEnd - 1 > m_limits.maxTargetBytes) {
        return refused(414);
    }
    if (!isCleanHeaderBlock(block)) {
        return refused(400);
    }
    parser.header_limit(static_cast<std::uint32_t>(m_limits.maxHeaderBytes));
    parser.body_limit(m_limits.maxBodyBytes);
    ErrorCode error;
    const std::size_t used = parser.put(asio::const_buffer(block.data(), block.size()), error);
    if (error || !parser.is_header_done() || used != block.size()) {
        return refused(error == http::error::body_limit ? 413 : 400);
    }
    // Here and not after the body: trailer fields are no header fields.
    takeOver(parser.get(), request);
    m_buffer.consume(used);
    if (const auto expect = request.headers.find("Expect");
        expect && !core::equalsIgnoreCase(*expect, "100-continue")) {
        return refused(417);
    }
    Arrival arrival = going();
    arrival.version = parser.get().version();
    arrival.keepsAlive = parser.get().keep_alive();
    arrival.hasBody = !parser.is_done();
    return arrival;
}

template <typename Stream>
Awaitable<Arrival> RequestReader<Stream>::readBody(
    http::request_parser<http::string_body>& parser, Arrival arrival, bool isAwaited)
{
    m_watchdog.watch(m_limits.bodyTimeout);
    if (isAwaited) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        co_await asio::async_write(m_stream, asio::buffer(kContinue), asTuple);
        if (m_watchdog.hasBarked()) {
            co_return refused(408);
        }
    }
    const auto [error, size] = co_await http::async_read(m_stream, m_buffer, parser, asTuple);
    if (m_watchdog.hasBarked()) {
        co_return refused(408);
    }
    if (!error) {
        co_return arrival;
    }
    if (error == http::error::body_limit || error == http::error::buffer_overflow) {
        co_return refused(413);
    }
    co_return isGone(error) ? Arrival() : refused(400);
}

template <typename Stream>
void RequestReader<Stream>::finish()
{
    m_watchdog.rest();
    m_buffer = beast::flat_buffer();
}

template class RequestReader<TcpSocket>;
template class RequestReader<TlsStream>;

} // namespace vivavoce::net
