#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/http_headers.h"
#include "core/base/secret.h"
#include "core/base/units.h"

#include <functional>
#include <memory>
#include <string>

namespace vivavoce::core {

/// A request in flight; destroying it cancels, and the callback is not called any more.
class HttpCall {
public:
    virtual ~HttpCall() = default;
};

/// Port: short requests over HTTPS (plain HTTP to loopback only).
/// Threads: the executor's own thread; the callback never runs from within `send`.
class HttpClient {
public:
    struct Request {
        std::string method = "POST";
        std::string url;
        HttpHeaders headers;
        std::string body;
        /// Sent as `Authorization: Bearer …` (RFC 6750 §2.1); may be null.
        std::shared_ptr<const Secret> bearer;
        /// Over all, from the first look-up to the last byte.
        Milliseconds timeout{10'000};
        std::size_t maxBodyBytes = 256 * 1024;
    };
    struct Response {
        int status = 0;
        HttpHeaders headers;
        /// May hold a token: wipe it when done.
        std::string body;
    };
    /// Any HTTP status is a Response; an Error says BrokerUnreachable, Timeout, BrokerMalformed or InsecureUrl.
    using Callback = std::function<void(Expected<Response, Error>)>;

    virtual ~HttpClient() = default;
    [[nodiscard]] virtual std::unique_ptr<HttpCall> send(Request request, Callback done) = 0;
};

} // namespace vivavoce::core
