#pragma once

#include "broker/admin/audit_api.h"
#include "broker/admin/dashboard.h"
#include "broker/alerts/alert_book.h"
#include "broker/http/cors.h"
#include "broker/http/entrance.h"
#include "broker/http/metrics_api.h"
#include "broker/log.h"
#include "broker/metrics.h"
#include "broker/projects/table_projects.h"
#include "broker/providers/providers.h"
#include "broker/relay/live_streams.h"
#include "broker/relay/posted_streams.h"
#include "broker/relay/relay_door.h"
#include "broker/reports/invoice_book.h"
#include "broker/tokens/session_ender.h"
#include "broker/tokens/token_service.h"
#include "broker/transcripts/transcript_desk.h"
#include "broker/workshop.h"
#include "net/router.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker::http {

/// The broker's routes (docs/protocol.md): checks who asks and what, asks the token service, writes the answer down.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class Api : public std::enable_shared_from_this<Api> {
public:
    struct Dependencies {
        Entrance& entrance;
        auth::Authenticator& authenticator;
        Gatekeeper& gatekeeper;
        TokenService& tokens;
        SessionEnder& ender;
        const Providers& providers;
        SessionRegistry& registry;
        const SessionTokens& sessionTokens;
        relay::RelayDoor& door;
        relay::LiveStreams& streams;
        usage::Ledger& ledger;
        transcripts::TranscriptDesk& transcriptDesk;
        const usage::RateCard& rates;
        alerts::AlertBook& alertBook;
        std::shared_ptr<relay::PostedStreams> postedStreams;
        ProjectDirectory& projects;
        /// The same where admins keep them here; nothing elsewhere.
        TableProjects* projectTable;
        Database& database;
        AuditTrail& audit;
        const core::Clock& clock;
        Log& log;
        Metrics& metrics;
        /// For long answers.
        Workshop& workshop;
        /// Owns the above: a handler that is cut off when the io_context goes still lets go of its claim.
        std::shared_ptr<const void> owner;
    };
    struct Settings {
        std::vector<std::string> trustedProxies;
        std::vector<std::string> allowedOrigins;
        relay::RelaySession::Settings relay;
        /// When the broker was, for the health page.
        core::MonotonicTime started{};
        /// Open connections, for the health page.
        std::function<std::size_t()> connections;
        /// False once the broker drains.
        std::function<bool()> isReady;
        /// For /metrics.
        Scrape scrape;
        /// What clients know the broker by.
        std::function<std::string()> baseUrl;
        /// As configured; may be empty.
        std::string publicUrl;
        reports::InvoiceBook::Settings reports;
        /// Whether the audit takes records.
        std::function<bool()> isAuditWorking;
        /// For people who look after the broker.
        std::shared_ptr<admin::Dashboard> dashboard;
        std::shared_ptr<admin::AuditApi> audit;
    };

    Api(Settings settings, Dependencies dependencies);
    [[nodiscard]] net::Router routes();

private:
    using Handler = net::Awaitable<net::HttpResponse> (Api::*)(const net::HttpRequest&);

    /// With the checks and the log that every route has.
    template <typename Owner, typename Method>
    void add(net::Router& router, const char* method, const char* path, std::shared_ptr<Owner> owner, Method handler);
    void addStream(net::Router& router);
    [[nodiscard]] net::Awaitable<net::HttpResponse> token(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> refreshToken(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> health(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> healthz(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> readyz(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> describe(const net::HttpRequest& request);
    /// The answer; nothing where making it has thrown, which the log then tells of.
    template <typename T>
    [[nodiscard]] net::Awaitable<std::optional<T>> guarded(
        net::Awaitable<T> answer, const net::HttpRequest& request, const char* route);
    /// The reason is one of a few words.
    void failed(const net::HttpRequest& request, const char* route, const char* category);
    /// The log has the route as it is described: what a caller puts into a path is theirs.
    void told(const net::HttpRequest& request, const char* route, const net::HttpResponse& response,
        core::MonotonicTime since);

    const Settings m_settings;
    const Dependencies m_deps;
    const Cors m_cors;
};

} // namespace vivavoce::broker::http
