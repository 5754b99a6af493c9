#pragma once

#include "broker/audit/audit_trail.h"
#include "broker/http/entrance.h"
#include "broker/transcripts/transcript_book.h"
#include "net/router.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::broker::http {

/// What was said (docs/protocol.md, "Transcripts"): one's own, that of a project for its admins, and everybody's for admins of the broker.
/// Invariant: what is read, exported or deleted is in the audit before the answer leaves, and before it is gone; nothing that was said is in it,
/// nor what was searched for.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class TranscriptApi {
public:
    struct Dependencies {
        Entrance& entrance;
        AuditTrail& audit;
        /// Projects, and who are their admins, are kept here.
        bool areProjectsInTable = false;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };
    using Handler = net::Awaitable<net::HttpResponse> (TranscriptApi::*)(const net::HttpRequest&);
    struct Route {
        const char* method;
        const char* path;
        Handler handler;
    };

    TranscriptApi(transcripts::TranscriptBook book, Dependencies dependencies)
        : m_book(std::move(book)), m_deps(std::move(dependencies))
    {
    }
    [[nodiscard]] static std::vector<Route> routes();

    [[nodiscard]] net::Awaitable<net::HttpResponse> search(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> one(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> remove(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> removeOf(const net::HttpRequest& request);

private:
    [[nodiscard]] transcripts::Reader readerOf(const Client& client) const;
    /// Nothing: they may ask for what that user said, in that project where one is named.
    [[nodiscard]] net::Awaitable<std::optional<net::HttpResponse>> refuseOthers(
        const Client& client, std::optional<std::string> user, std::optional<std::string> project);
    /// As whom they come to what that user said, for the audit: "own", "project_admin" or "operator".
    [[nodiscard]] const char* roleOf(const Client& client, const std::string& user) const;
    /// The same for all that they may read, of that project where one is named, where no user is.
    [[nodiscard]] net::Awaitable<core::Expected<const char*, Fault>> roleFor(
        const Client& client, const transcripts::TranscriptQuery& query) const;
    /// Durable when it returns; otherwise the fault that the client gets.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> witness(
        const Client& client, AuditEvent event, AuditOutcome outcome, const char* role, std::string target);
    [[nodiscard]] net::HttpResponse notFound(const Client& client, const Fault& fault, const std::string& session);

    transcripts::TranscriptBook m_book;
    const Dependencies m_deps;
};

} // namespace vivavoce::broker::http
