#include "net/http_client.h"

#include "core/base/secret.h"
#include "net/internal/dial.h"
#include "net/internal/header_block.h"
#include "net/internal/wire.h"

#include <algorithm>
#include <array>
#include <optional>

namespace vivavoce::net {
namespace {

using core::Error;
using core::fail;
using Result = core::Expected<ClientResponse, Error>;

constexpr std::uint32_t kMaxHeaderBytes = 32 * 1024;
constexpr std::size_t kChunk = 16 * 1024;
/// 100, 102, 103: answers before the answer (RFC 9110 §15.2).
constexpr int kMostInterim = 8;

http::request<http::string_body> makeRequest(ClientRequest& request, const Url& url)
{
    http::request<http::string_body> raw;
    raw.method_string(request.method);
    raw.target(url.target);
    raw.version(11);
    raw.set(http::field::host, url.authority);
    for (const auto& field : request.headers.fields()) {
        raw.insert(field.name, field.value);
    }
    raw.keep_alive(false);
    raw.body() = std::move(request.body);
    if (!raw.body().empty() || request.method != "GET") {
        raw.content_length(raw.body().size());
    }
    return raw;
}

Error errorOf(const ErrorCode& error)
{
    if (error == http::error::body_limit || error == http::error::header_limit
        || error == http::error::buffer_overflow) {
        return {core::ErrorCode::ProviderMessageTooBig, "the answer is too long", std::nullopt, {}};
    }
    const bool isForeign = error.category() == http::make_error_code(http::error::end_of_stream).category();
    if (isForeign && error != http::error::end_of_stream && error != http::error::partial_message) {
        return {core::ErrorCode::ProviderMalformed, "the answer is not HTTP: " + error.message(), std::nullopt, {}};
    }
    return {core::ErrorCode::ProviderUnreachable, "the connection broke off: " + error.message(), std::nullopt, {}};
}

/// The same behind the head of an answer: its status is the other side's own code, which a long body takes from nobody.
Error errorOf(const ErrorCode& error, unsigned status)
{
    Error told = errorOf(error);
    if (told.code == core::ErrorCode::ProviderMessageTooBig) {
        told.foreignCode = std::to_string(status);
    }
    return told;
}

template <typename Parser>
ClientResponse headOf(const Parser& parser)
{
    ClientResponse response;
    response.status = parser.get().result_int();
    for (const auto& field : parser.get()) {
        response.headers.add(std::string(field.name_string()), std::string(field.value()));
    }
    return response;
}

using ResponseParser = http::response_parser<http::buffer_body>;

/// Reads the head of the final answer into `parser`.
template <typename Stream>
Awaitable<core::Expected<void, Error>> readHead(Stream& stream, beast::flat_buffer& buffer,
    std::optional<ResponseParser>& parser, bool isHead, std::size_t maxBodyBytes)
{
    for (int interim = 0; interim <= kMostInterim; ++interim) {
        parser.emplace();
        parser->header_limit(kMaxHeaderBytes);
        parser->body_limit(maxBodyBytes);
        parser->skip(isHead);
        const auto [error, size] = co_await http::async_read_header(stream, buffer, *parser, asTuple);
        if (error == http::error::body_limit) {
            co_return core::Unexpected<Error>(errorOf(error, parser->get().result_int()));
        }
        if (error) {
            co_return core::Unexpected<Error>(errorOf(error));
        }
        if (parser->get().result_int() >= 200) {
            co_return core::Expected<void, Error>();
        }
    }
    co_return fail(core::ErrorCode::ProviderMalformed, "the answer never comes to an end of its beginnings");
}

template <typename Stream>
Awaitable<Result> exchange(Stream& stream, http::request<http::string_body> raw, std::size_t maxBodyBytes,
    const std::function<bool(std::string_view)>& onChunk)
{
    const bool isHead = raw.method() == http::verb::head;
    std::string bytes = wireBytes(std::move(raw));
    const auto [writeError, written] = co_await asio::async_write(stream, asio::buffer(bytes), asTuple);
    core::wipeString(bytes);
    if (writeError) {
        co_return core::Unexpected<Error>(errorOf(writeError));
    }
    beast::flat_buffer buffer;
    std::optional<ResponseParser> head;
    const auto begun = co_await readHead(stream, buffer, head, isHead, maxBodyBytes);
    if (!begun) {
        co_return core::Unexpected<Error>(begun.error());
    }
    ResponseParser& parser = *head;
    ClientResponse response = headOf(parser);
    const bool isStreamed = onChunk && response.status >= 200 && response.status < 300;
    std::array<char, kChunk> chunk{};
    while (!parser.is_done()) {
        parser.get().body().data = chunk.data();
        parser.get().body().size = chunk.size();
        const auto [error, size] = co_await http::async_read_some(stream, buffer, parser, asTuple);
        const std::string_view piece(chunk.data(), chunk.size() - parser.get().body().size);
        if (isStreamed) {
            if (!piece.empty() && !onChunk(piece)) {
                co_return response;
            }
        } else {
            response.body += piece;
        }
        if (error && error != http::error::need_buffer) {
            co_return core::Unexpected<Error>(errorOf(error, response.status));
        }
    }
    chunk.fill('\0');
    co_return response;
}

Awaitable<Result> perform(ClientRequest request, Url url, std::function<bool(std::string_view)> onChunk)
{
    auto connected = co_await dial(url);
    if (!connected) {
        co_return core::Unexpected<Error>(connected.error());
    }
    http::request<http::string_body> raw = makeRequest(request, url);
    if (!url.isTls) {
        co_return co_await exchange(*connected, std::move(raw), request.maxBodyBytes, onChunk);
    }
    const auto context = makeClientTls(request.trust);
    if (!context) {
        co_return core::Unexpected<Error>(context.error());
    }
    TlsStream stream(std::move(*connected), **context);
    const auto shaken = co_await shakeHands(stream, url);
    if (!shaken) {
        co_return core::Unexpected<Error>(shaken.error());
    }
    co_return co_await exchange(stream, std::move(raw), request.maxBodyBytes, onChunk);
}

} // namespace

bool isFetchable(std::string_view url)
{
    return parseUrl(url, "http", "https").has_value();
}

Awaitable<Result> sendRequest(ClientRequest request)
{
    return streamRequest(std::move(request), nullptr);
}

Awaitable<Result> streamRequest(ClientRequest request, std::function<bool(std::string_view)> onChunk)
{
    auto url = parseUrl(request.url, "http", "https");
    if (!url) {
        co_return core::Unexpected<Error>(url.error());
    }
    if (!isToken(request.method) || !areSendable(request.headers)) {
        // Nothing of the field is told: it may hold a key with a line break behind it.
        co_return fail(core::ErrorCode::BadConfiguration, "a header field holds a control character");
    }
    const core::Milliseconds timeout = request.timeout;
    co_return co_await within(timeout, perform(std::move(request), std::move(*url), std::move(onChunk)));
}

} // namespace vivavoce::net
