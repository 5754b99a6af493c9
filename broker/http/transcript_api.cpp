#include "broker/http/transcript_api.h"

#include "broker/admin/page_query.h"
#include "broker/http/problem_response.h"
#include "broker/projects/project_directory.h"
#include "broker/tokens/session_audit.h"
#include "broker/transcripts/fold.h"
#include "broker/transcripts/line.h"
#include "broker/transcripts/transcript_files.h"
#include "core/base/json.h"
#include "core/base/percent.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker::http {
namespace {

using core::Json;
using transcripts::Transcript;
using transcripts::TranscriptBook;
using transcripts::TranscriptQuery;

constexpr const char* kPath = "/api/voice/transcripts";
constexpr std::size_t kUnasked = 50;
constexpr std::size_t kLongestText = 256;
constexpr std::string_view kMe = "me";

enum class Format { Data, File, Csv, Text };

core::Unexpected<Fault> bad(std::string detail)
{
    return core::Unexpected<Fault>(Fault{FaultCode::BadRequest, std::move(detail), std::nullopt});
}

core::Expected<Format, Fault> formatOf(const std::optional<std::string>& format)
{
    if (!format) {
        return Format::Data;
    }
    if (*format == "json") {
        return Format::File;
    }
    if (*format == "csv") {
        return Format::Csv;
    }
    return *format == "text" ? core::Expected<Format, Fault>(Format::Text) : bad("format has to be json, csv or text");
}

/// A whole day, or a moment; nothing for anything else.
std::optional<core::WallTime> timeOf(const std::string& text)
{
    constexpr std::size_t kDate = 10;
    return core::parseRfc3339(text.size() == kDate ? text + "T00:00:00Z" : text);
}

/// What no database takes: bytes that are no UTF-8, and NUL.
bool isText(const std::optional<std::string>& text)
{
    return !text || transcripts::sound(*text) == *text;
}

std::string lastSegment(const std::string& path)
{
    return path.substr(path.rfind('/') + 1);
}

Fault notText()
{
    return {FaultCode::BadRequest, "a session's name has to be UTF-8", std::nullopt};
}

/// Whose they are to be: "me" is whoever asks.
std::optional<std::string> userOf(const admin::PageQuery& page, const Client& client)
{
    auto user = page.text("user");
    return user == kMe ? std::optional(client.caller.key()) : std::move(user);
}

core::Expected<TranscriptQuery, Fault> queryOf(const admin::PageQuery& page, const Client& client, bool hasLimit)
{
    TranscriptQuery query;
    query.text = page.text("text");
    if (query.text && query.text->size() > kLongestText) {
        return bad("text has to be of at most 256 bytes");
    }
    query.project = page.text("project");
    if (query.project && !isProjectName(*query.project)) {
        return bad("project has to be a project's name");
    }
    query.caller = userOf(page, client);
    for (const auto& [name, time] : {std::pair("from", &query.from), std::pair("to", &query.to)}) {
        if (const auto text = page.text(name)) {
            *time = timeOf(*text);
            if (!*time) {
                return bad("from and to have to be as 2026-11-23 or 2026-11-23T08:00:00Z");
            }
        }
    }
    query.before = page.text("before");
    if (!isText(query.text) || !isText(query.caller) || !isText(query.before)) {
        return bad("text, user and before have to be UTF-8");
    }
    query.most = hasLimit ? page.limit() : kUnasked;
    return query;
}

/// For the audit: what was looked through, and not what for; and how many transcripts were shown.
std::string told(const TranscriptQuery& query, std::size_t shown)
{
    std::string target = query.text ? "search" : "list";
    target += query.project ? " project " + *query.project : std::string();
    target += query.caller ? " user " + *query.caller : std::string();
    target += query.from ? " from " + core::formatRfc3339(*query.from) : std::string();
    target += query.to ? " to " + core::formatRfc3339(*query.to) : std::string();
    const std::string_view before = query.before ? sessionNamed(*query.before) : std::string_view();
    target += before.empty() ? std::string() : " before " + std::string(before);
    return target + " transcripts " + std::to_string(shown);
}

net::HttpResponse file(const char* type, std::string body, const std::string& name)
{
    net::HttpResponse response;
    response.headers.set("Content-Type", type);
    response.headers.set("Content-Disposition", "attachment; filename=\"" + name + "\"");
    response.body = std::move(body);
    return response;
}

net::HttpResponse fileOf(Format format, const std::vector<Transcript>& all, const std::string& name)
{
    if (format == Format::Csv) {
        return file("text/csv; charset=utf-8; header=present", transcripts::writeCsv(all), name + ".csv");
    }
    if (format == Format::Text) {
        return file("text/plain; charset=utf-8", transcripts::writeText(all), name + ".txt");
    }
    Json list = Json::array();
    for (const Transcript& one : all) {
        list.push_back(transcripts::writeJson(one));
    }
    return file("application/json", core::writeJson(Json{{"transcripts", std::move(list)}}), name + ".json");
}

Json listJson(const TranscriptBook::Page& page, const TranscriptQuery& query)
{
    const std::string needle = query.text ? transcripts::folded(*query.text) : std::string();
    Json list = Json::array();
    for (const Transcript& one : page.transcripts) {
        Json json = transcripts::headJson(one.head);
        Json matches = Json::array();
        for (const transcripts::Line& line : one.lines) {
            Json match = transcripts::lineJson(line);
            // Its number is that within what was found.
            match.erase("number");
            match["text"] = transcripts::excerpt(line.text, needle);
            matches.push_back(std::move(match));
        }
        if (query.text) {
            json["matches"] = std::move(matches);
        }
        list.push_back(std::move(json));
    }
    Json body{{"transcripts", std::move(list)}};
    if (page.next) {
        body["next"] = *page.next;
    }
    return body;
}

} // namespace

std::vector<TranscriptApi::Route> TranscriptApi::routes()
{
    return {
        {"GET", kPath, &TranscriptApi::search},
        {"DELETE", kPath, &TranscriptApi::removeOf},
        {"GET", "/api/voice/transcripts/{id}", &TranscriptApi::one},
        {"DELETE", "/api/voice/transcripts/{id}", &TranscriptApi::remove},
    };
}

const char* TranscriptApi::roleOf(const Client& client, const std::string& user) const
{
    const transcripts::Reader reader = readerOf(client);
    if (user == reader.caller) {
        return "own";
    }
    return reader.isAdminOfAll ? "operator" : "project_admin";
}

net::Awaitable<core::Expected<const char*, Fault>> TranscriptApi::roleFor(
    const Client& client, const TranscriptQuery& query) const
{
    using Role = core::Expected<const char*, Fault>;
    transcripts::Reader reader = readerOf(client);
    if (query.caller || reader.isAdminOfAll) {
        co_return Role(roleOf(client, query.caller.value_or(std::string())));
    }
    const auto isAdmin = co_await m_book.isAdmin(std::move(reader), query.project);
    if (!isAdmin) {
        co_return core::Unexpected<Fault>(isAdmin.error());
    }
    co_return Role(*isAdmin ? "project_admin" : "own");
}

net::Awaitable<std::optional<Fault>> TranscriptApi::witness(
    const Client& client, AuditEvent event, AuditOutcome outcome, const char* role, std::string target)
{
    AuditRecord record = recordOf(client);
    record.event = event;
    record.outcome = outcome;
    record.why = role;
    record.target = std::move(target);
    auto unseen = co_await broker::witness(m_deps.audit, std::move(record));
    co_return unseen;
}

transcripts::Reader TranscriptApi::readerOf(const Client& client) const
{
    return {client.caller.key(), client.caller.may(auth::scope::kAdmin), m_deps.areProjectsInTable};
}

net::Awaitable<std::optional<net::HttpResponse>> TranscriptApi::refuseOthers(
    const Client& client, std::optional<std::string> user, std::optional<std::string> project)
{
    transcripts::Reader reader = readerOf(client);
    if (!user || *user == reader.caller || reader.isAdminOfAll) {
        co_return std::nullopt;
    }
    const auto isAdmin = co_await m_book.isAdmin(std::move(reader), std::move(project));
    if (!isAdmin) {
        co_return problemResponse(isAdmin.error());
    }
    if (!*isAdmin) {
        co_return m_deps.entrance.refuseWithout(auth::scope::kAdmin, client,
            "what other users said is for admins of the project in which they said it, and of the broker");
    }
    co_return std::nullopt;
}

net::HttpResponse TranscriptApi::notFound(const Client& client, const Fault& fault, const std::string& session)
{
    if (fault.code == FaultCode::NotFound) {
        m_deps.entrance.turnedAway(client, faultRow(fault.code).text, sessionNamed(session));
    }
    return problemResponse(fault);
}

net::Awaitable<net::HttpResponse> TranscriptApi::search(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kSession, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const Client& client = guest->client;
    const auto page = admin::PageQuery::read(
        request.query, {"before", "format", "from", "project", "text", "to", "user"}, TranscriptBook::kMostListed);
    if (!page) {
        co_return problemResponse(page.error());
    }
    const auto format = formatOf(page->text("format"));
    if (!format) {
        co_return problemResponse(format.error());
    }
    const auto query = queryOf(*page, client, page->text("limit").has_value());
    if (!query) {
        co_return problemResponse(query.error());
    }
    auto refusal = co_await refuseOthers(client, query->caller, query->project);
    if (refusal) {
        co_return std::move(*refusal);
    }
    const bool isExport = *format != Format::Data;
    // Named, as everywhere here: GCC 12 copies what is a temporary of co_await bit by bit.
    const transcripts::Reader reader = readerOf(client);
    auto asked = isExport ? m_book.whole(reader, *query) : m_book.search(reader, *query);
    const auto found = co_await std::move(asked);
    if (!found) {
        co_return problemResponse(found.error());
    }
    const auto role = co_await roleFor(client, *query);
    if (!role) {
        co_return problemResponse(role.error());
    }
    const auto unseen = co_await witness(client, isExport ? AuditEvent::TranscriptExport : AuditEvent::TranscriptRead,
        AuditOutcome::Done, *role, told(*query, found->transcripts.size()));
    if (unseen) {
        co_return problemResponse(*unseen);
    }
    if (!isExport) {
        co_return net::HttpResponse::json(200, core::writeJson(listJson(*found, *query)));
    }
    net::HttpResponse response = fileOf(*format, found->transcripts, "transcripts");
    if (found->next) {
        // The same question, from there on.
        std::string rest;
        for (const char* const name : {"format", "from", "limit", "project", "text", "to", "user"}) {
            if (const auto value = page->text(name)) {
                rest += std::string(name) + "=" + core::percentEncoded(*value) + "&";
            }
        }
        response.headers.set(
            "Link", "<" + std::string(kPath) + "?" + rest + "before=" + *found->next + ">; rel=\"next\"");
    }
    co_return response;
}

net::Awaitable<net::HttpResponse> TranscriptApi::one(const net::HttpRequest& request)
{
    const std::string id = lastSegment(request.path);
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kSession, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const Client& client = guest->client;
    const auto page = admin::PageQuery::read(request.query, {"format"});
    const auto format = page ? formatOf(page->text("format")) : core::Expected<Format, Fault>(Format::Data);
    if (!page || !format || page->text("limit")) {
        co_return problemResponse(Fault{FaultCode::BadRequest, "there may be format: json, csv or text", std::nullopt});
    }
    if (!isText(id)) {
        co_return problemResponse(notText());
    }
    const transcripts::Reader reader = readerOf(client);
    auto found = co_await m_book.find(reader, id);
    if (!found) {
        co_return notFound(client, found.error(), id);
    }
    const bool isExport = *format != Format::Data;
    const auto unseen = co_await witness(client, isExport ? AuditEvent::TranscriptExport : AuditEvent::TranscriptRead,
        AuditOutcome::Done, roleOf(client, found->head.of.caller), id);
    if (unseen) {
        co_return problemResponse(*unseen);
    }
    if (!isExport) {
        co_return net::HttpResponse::json(200, core::writeJson(transcripts::writeJson(*found)));
    }
    std::vector<Transcript> all;
    all.push_back(std::move(*found));
    co_return fileOf(*format, all, id);
}

net::Awaitable<net::HttpResponse> TranscriptApi::remove(const net::HttpRequest& request)
{
    const std::string id = lastSegment(request.path);
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kSession, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const Client& client = guest->client;
    if (!isText(id)) {
        co_return problemResponse(notText());
    }
    const transcripts::Reader reader = readerOf(client);
    const auto user = co_await m_book.whose(reader, id);
    if (!user) {
        co_return notFound(client, user.error(), id);
    }
    const char* const role = roleOf(client, *user);
    auto unseen = co_await witness(client, AuditEvent::TranscriptRemove, AuditOutcome::Done, role, id);
    if (unseen) {
        co_return problemResponse(*unseen);
    }
    const auto removed = co_await m_book.remove(reader, id);
    if (!removed) {
        unseen = co_await witness(client, AuditEvent::TranscriptRemove, AuditOutcome::Failed, role, id);
        co_return problemResponse(unseen ? *unseen : removed.error());
    }
    const Json body{{"sessionId", id}, {"removed", true}};
    co_return net::HttpResponse::json(200, core::writeJson(body));
}

net::Awaitable<net::HttpResponse> TranscriptApi::removeOf(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kSession, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const Client& client = guest->client;
    const auto page = admin::PageQuery::read(request.query, {"project", "user"});
    const auto user = page ? userOf(*page, client) : std::nullopt;
    const auto project = page ? page->text("project") : std::nullopt;
    if (!user || !isText(user) || page->text("limit") || (project && !isProjectName(*project))) {
        // Without a user it would be everybody's.
        co_return problemResponse(Fault{
            FaultCode::BadRequest, "user has to be there (me: your own), and there may be project", std::nullopt});
    }
    auto refusal = co_await refuseOthers(client, user, project);
    if (refusal) {
        co_return std::move(*refusal);
    }
    const std::string target = "user " + *user + (project ? " project " + *project : std::string());
    const char* const role = roleOf(client, *user);
    auto unseen = co_await witness(client, AuditEvent::TranscriptRemove, AuditOutcome::Done, role, target);
    if (unseen) {
        co_return problemResponse(*unseen);
    }
    const transcripts::Reader reader = readerOf(client);
    const auto removed = co_await m_book.removeOf(reader, *user, project);
    if (!removed) {
        // A part of it may be done, so the line before stays.
        unseen = co_await witness(client, AuditEvent::TranscriptRemove, AuditOutcome::Failed, role, target);
        co_return problemResponse(unseen ? *unseen : removed.error());
    }
    const Json body{{"user", *user}, {"removed", *removed}};
    co_return net::HttpResponse::json(200, core::writeJson(body));
}

} // namespace vivavoce::broker::http
