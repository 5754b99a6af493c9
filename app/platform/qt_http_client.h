#pragma once

#include "core/ports/http_client.h"

#include <memory>
#include <vector>

namespace vivavoce::platform {

/// HttpClient over Qt Network. Certificates are always verified, redirects are not followed, cookies and caches not kept.
/// Threads: the thread that made it. Lifetime: outlives its calls.
class QtHttpClient final : public core::HttpClient {
public:
    QtHttpClient();
    ~QtHttpClient() override;

    [[nodiscard]] std::unique_ptr<core::HttpCall> send(Request request, Callback done) override;

private:
    struct Network;

    void followTrust();

    std::unique_ptr<Network> m_network;
    /// Those of before, as long as something is under way with them.
    std::vector<std::unique_ptr<Network>> m_former;
};

} // namespace vivavoce::platform
