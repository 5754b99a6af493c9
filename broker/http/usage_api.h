#pragma once

#include "broker/http/entrance.h"
#include "broker/usage/ledger.h"
#include "broker/usage/rate_card.h"
#include "broker/workshop.h"
#include "core/base/clock.h"
#include "core/protocol/broker/messages.h"

#include <memory>
#include <vector>

namespace vivavoce::broker::http {

/// What was used, and what it cost (docs/protocol.md, "Usage"): one's own, and everybody's for admins.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class UsageApi {
public:
    struct Dependencies {
        Entrance& entrance;
        usage::Ledger& ledger;
        const usage::RateCard& rates;
        Gatekeeper& gatekeeper;
        const core::Clock& clock;
        /// Where long reports are written.
        Workshop& workshop;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };

    explicit UsageApi(Dependencies dependencies) : m_deps(std::move(dependencies)) {}
    [[nodiscard]] net::Awaitable<net::HttpResponse> report(const net::HttpRequest& request);
    /// What a session came to that only its client saw.
    [[nodiscard]] net::Awaitable<net::HttpResponse> take(const net::HttpRequest& request);

private:
    /// InvalidBody: an event that bills nothing.
    [[nodiscard]] core::Expected<std::vector<usage::Entry>, Fault> entriesOf(
        const core::broker::UsageReport& report, const usage::Ledger::DirectSession& session) const;
    [[nodiscard]] core::Expected<usage::UsageQuery, Fault> queryOf(
        const net::HttpRequest& request, const auth::Caller& caller) const;

    const Dependencies m_deps;
};

} // namespace vivavoce::broker::http
