#pragma once

#include "broker/auth/authenticator.h"
#include "net/http_message.h"

#include <functional>
#include <memory>
#include <string>

namespace vivavoce::broker::http {

inline constexpr const char* kResourceMetadataPath = "/.well-known/oauth-protected-resource";

/// GET of where a person signs in (RFC 9728), for apps that know this broker's address and nothing else. Not found where no issuer has a
/// client for them.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class ResourceMetadataApi {
public:
    struct Dependencies {
        const auth::Authenticator& authenticator;
        /// What clients know the broker by, without a trailing slash.
        std::function<std::string()> baseUrl;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };

    explicit ResourceMetadataApi(Dependencies dependencies) : m_deps(std::move(dependencies)) {}

    [[nodiscard]] net::Awaitable<net::HttpResponse> describe(const net::HttpRequest& request);
    /// A 401 tells where the metadata are (RFC 9728 §5.1).
    void addTo(net::HttpResponse& response) const;

private:
    [[nodiscard]] bool canSignIn() const;

    const Dependencies m_deps;
};

} // namespace vivavoce::broker::http
