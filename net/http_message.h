#pragma once

#include "core/base/http_headers.h"
#include "net/body_writer.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace vivavoce::net {

/// Who is at the other end of a connection.
struct Peer {
    std::string address;
    std::uint16_t port = 0;
    bool isLoopback = false;
    bool isTls = false;
};

/// A request as a handler sees it: header block checked, body whole and within the limit.
struct HttpRequest {
    std::string method;
    /// Path as sent, with runs of slashes folded into one (official SDKs send "//v1/…" with a custom base URL). No query.
    std::string path;
    /// Without the question mark; may hold a secret, so it is never logged.
    std::string query;
    core::HttpHeaders headers;
    std::string body;
    Peer peer;
    /// Made here for each request, for logs and `X-Request-Id`.
    std::string id;
};

/// The value of one query parameter, percent-decoded; empty where absent.
[[nodiscard]] std::string queryParameter(std::string_view query, std::string_view name);

struct HttpResponse {
    unsigned status = 200;
    core::HttpHeaders headers;
    std::string body;
    /// Where there is one, it makes the body part by part once the headers are sent, for as long as it likes; `body` is not looked at. It is
    /// cancelled where nobody reads any more. A server that goes waits for it until its deadline. Only of what a server answers.
    std::function<Awaitable<>(BodyWriter&)> stream{};

    /// `application/json; charset=utf-8` is added unless a content type is there.
    static HttpResponse json(unsigned status, std::string body);
};

} // namespace vivavoce::net
