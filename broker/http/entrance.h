#pragma once

#include "broker/audit/audit_trail.h"
#include "broker/auth/authenticator.h"
#include "broker/limits/gatekeeper.h"
#include "broker/log.h"
#include "broker/tokens/token_service.h"
#include "net/http_message.h"

#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::http {

/// Who comes in: counts the address, looks at the credentials, asks for the scope of the route, and tells the audit of whoever is
/// turned away.
/// Threads: [any thread].
class Entrance {
public:
    struct Dependencies {
        auth::Authenticator& authenticator;
        Gatekeeper& gatekeeper;
        AuditTrail& audit;
        Log& log;
        /// Literal addresses of proxies that say X-Forwarded-For truly.
        std::vector<std::string> trustedProxies;
    };
    /// Somebody with that scope, or the answer that they get.
    using Entered = core::Expected<Client, net::HttpResponse>;

    explicit Entrance(Dependencies dependencies) : m_deps(std::move(dependencies)) {}

    [[nodiscard]] net::Awaitable<Entered> enter(const net::HttpRequest& request, std::string_view scope);
    /// The same where a token of ours is all there is: its bearer is not known before the token service has seen it.
    [[nodiscard]] Entered enterUnknown(const net::HttpRequest& request);
    /// The one whom enterUnknown let in has shown good credentials.
    void hasProved(const Client& client) { m_deps.gatekeeper.authenticated(client.address); }
    /// Whether this request bears that scope; nothing is counted or told.
    [[nodiscard]] net::Awaitable<bool> isBorneBy(const net::HttpRequest& request, std::string_view scope);
    /// For log and audit. Not waited for: a refusal that is not told of yet opens nothing.
    void turnedAway(const Client& client, const Fault& fault, std::string_view reason);

private:
    Dependencies m_deps;
};

} // namespace vivavoce::broker::http
