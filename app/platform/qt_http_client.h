#pragma once

#include "core/ports/http_client.h"

#include <memory>

class QNetworkAccessManager;

namespace vivavoce::platform {

/// HttpClient over Qt Network. Certificates are always verified, redirects are not followed, cookies and caches not kept.
/// Threads: the thread that made it. Lifetime: outlives its calls.
class QtHttpClient final : public core::HttpClient {
public:
    QtHttpClient();
    ~QtHttpClient() override;

    [[nodiscard]] std::unique_ptr<core::HttpCall> send(Request request, Callback done) override;

private:
    std::unique_ptr<QNetworkAccessManager> m_network;
};

} // namespace vivavoce::platform
