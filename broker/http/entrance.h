#pragma once

#include "broker/audit/audit_trail.h"
#include "broker/auth/authenticator.h"
#include "broker/http/denial_report.h"
#include "broker/http/sign_in_report.h"
#include "broker/limits/gatekeeper.h"
#include "broker/metrics.h"
#include "broker/tokens/token_service.h"
#include "net/http_message.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::http {

/// Who comes in: counts address and credential, looks at the latter, asks for the scope of the route, and has those reported who are
/// turned away.
/// Threads: [any thread].
class Entrance {
public:
    struct Dependencies {
        auth::Authenticator& authenticator;
        Gatekeeper& gatekeeper;
        AuditTrail& audit;
        DenialReport& denials;
        SignInReport& signIns;
        Metrics& metrics;
        /// Literal addresses of proxies that say X-Forwarded-For truly.
        std::vector<std::string> trustedProxies;
    };
    /// Somebody who is counted and not looked at yet.
    struct Stranger {
        Client client;
        SlidingWindow::Ticket ticket;
        /// There were too many strangers at that address. This is the answer for one more; good credentials still open the door, as long
        /// as nobody else has to be asked about them: nobody is locked out by others behind the same address.
        std::optional<net::HttpResponse> overLimit;
    };
    /// Somebody who is known, and what their credential was counted with.
    struct Guest {
        Client client;
        SlidingWindow::Ticket ticket;
    };
    /// Somebody with that scope, or the answer that they get.
    using Entered = core::Expected<Guest, net::HttpResponse>;

    /// Somebody over the limit is being looked up in the database, until it goes: few are at a time, so that whoever floods us leaves the
    /// database to others.
    using Look = std::shared_ptr<void>;

    explicit Entrance(Dependencies dependencies) : m_deps(std::move(dependencies)) {}

    /// `otherScope` does as well, where it is not empty.
    [[nodiscard]] net::Awaitable<Entered> enter(
        const net::HttpRequest& request, std::string_view scope, std::string_view otherScope = {});
    /// Where a token of ours is all there is: its bearer is not known before the token service has seen it.
    [[nodiscard]] Stranger meet(const net::HttpRequest& request);
    /// Leave to ask the database about the stranger. Nothing: too many others over the limit are asked about; refuse() has the answer.
    /// Whoever is not over the limit always has it.
    [[nodiscard]] std::optional<Look> mayLook(const Stranger& stranger);
    /// The stranger has shown good credentials.
    void hasProved(const Stranger& stranger)
    {
        m_deps.gatekeeper.authenticated(stranger.client.address, stranger.ticket);
    }
    /// The stranger has not: the answer.
    [[nodiscard]] net::HttpResponse refuse(
        Stranger& stranger, const Fault& fault, std::string_view reason, std::string_view session = std::string_view());
    /// A bucket has counted this request and admitted it.
    void countedElsewhere(const net::HttpRequest& request, const Guest& guest);
    /// Whether this request bears that scope. Who bears nothing is not counted.
    [[nodiscard]] net::Awaitable<bool> isBorneBy(const net::HttpRequest& request, std::string_view scope);
    /// The answer for somebody who is known and lacks that scope.
    [[nodiscard]] net::HttpResponse refuseWithout(std::string_view scope, const Client& client, std::string detail);
    /// For log and audit. Not waited for: a refusal that is not told of yet opens nothing.
    void turnedAway(const Client& client, std::string_view reason, std::string_view target = std::string_view())
    {
        m_deps.metrics.denied(reason);
        m_deps.denials.turnedAway(client, reason, target);
    }
    /// Tells what this client does to another one. Durable when it returns; otherwise the fault that the client gets, and nothing is done.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> witness(
        const Client& client, AuditEvent event, AuditOutcome outcome, std::string target);

private:
    /// Looks at the credentials.
    [[nodiscard]] net::Awaitable<Entered> identify(const net::HttpRequest& request);

    const Dependencies m_deps;
    /// Shared with the looks, which may outlive a configuration.
    const std::shared_ptr<std::atomic<int>> m_looks = std::make_shared<std::atomic<int>>(0);
};

} // namespace vivavoce::broker::http
