#pragma once

#include "broker/auth/authenticator.h"
#include "net/router.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::admin {

/// A file of resources/admin, as it was when the program was built.
struct PageFile {
    std::string_view name;
    /// Of its bytes, in hexadecimal digits.
    std::string_view hash;
    std::string_view text;
};
[[nodiscard]] const std::vector<PageFile>& pageFiles();

/// The dashboard's page (`/admin`) and what belongs to it. Whoever opens it sees nothing before they have signed in, so anybody may.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class Pages {
public:
    /// `issuers`: the page may ask those at which admins sign in.
    explicit Pages(const std::vector<std::shared_ptr<auth::Issuer>>& issuers);

    [[nodiscard]] net::Awaitable<net::HttpResponse> index(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> file(const net::HttpRequest& request);
    /// Where somebody put a slash behind it.
    [[nodiscard]] net::Awaitable<net::HttpResponse> withSlash(const net::HttpRequest& request);
    /// What a page may do in a browser, in the place of what is said of JSON. Other answers stay as they are.
    void addTo(const net::HttpRequest& request, net::HttpResponse& response) const;

private:
    std::string m_policy;
};

} // namespace vivavoce::broker::admin
