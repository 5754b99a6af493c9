#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "net/http_client.h"
#include "net/internal/boost.h"
#include "net/server.h"

#include <memory>
#include <string>

namespace vivavoce::net {

/// BadConfiguration names the file that does not do, never what is in it.
[[nodiscard]] core::Expected<std::shared_ptr<ssl::context>, core::Error> makeServerTls(const TlsFiles& files);
[[nodiscard]] core::Expected<std::shared_ptr<ssl::context>, core::Error> makeClientTls(const TlsTrust& trust);

using TlsStream = beast::ssl_stream<TcpSocket>;

/// Server name indication and the check of the certificate against the host.
[[nodiscard]] bool expectHost(TlsStream& stream, const std::string& host);

} // namespace vivavoce::net
