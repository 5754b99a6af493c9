#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/http_headers.h"
#include "core/base/units.h"
#include "net/awaitable.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace vivavoce::net {

/// Whom to trust beyond the system's certificate authorities: a PEM file, or empty.
struct TlsTrust {
    std::string extraCaFile;
};

struct ClientRequest {
    std::string method = "GET";
    /// http:// or https://; no user information.
    std::string url;
    core::HttpHeaders headers;
    std::string body;
    /// Over all: resolving, connecting, TLS, sending, the whole answer.
    core::Milliseconds timeout{10'000};
    std::size_t maxBodyBytes = 1 << 20;
    TlsTrust trust;
};

struct ClientResponse {
    unsigned status = 0;
    core::HttpHeaders headers;
    std::string body;
};

/// Whether sendRequest would go there: http or https without user information, and plain only to this computer. Pure.
[[nodiscard]] bool isFetchable(std::string_view url);

/// One request on a connection of its own. Certificates and host names are always verified; redirects are not followed.
/// Errors: ProviderUnreachable (resolve, connect, TLS), Timeout, ProviderMalformed (not HTTP), ProviderMessageTooBig,
/// InsecureUrl (http to anything but loopback), BadConfiguration (not a URL, a field that cannot be sent). `detail` never
/// holds headers or the query. [on an executor of ours]
[[nodiscard]] Awaitable<core::Expected<ClientResponse, core::Error>> sendRequest(ClientRequest request);

/// The same with a body that is handed over as it arrives (server-sent events). `onChunk` answers whether to go on;
/// false ends the request at once with what was there. The response's body is empty for 2xx.
[[nodiscard]] Awaitable<core::Expected<ClientResponse, core::Error>> streamRequest(
    ClientRequest request, std::function<bool(std::string_view)> onChunk);

} // namespace vivavoce::net
