#include "broker/http/usage_api.h"

#include "broker/admin/page_query.h"
#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"
#include "broker/http/token_answer.h"
#include "broker/relay/session_meter.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace vivavoce::broker::http {
namespace {

constexpr std::int64_t kDaysUnasked = 30;
/// What is written down at once: most users have no more.
constexpr std::size_t kFewRows = 100;

core::Unexpected<Fault> bad(std::string detail)
{
    return core::Unexpected<Fault>(Fault{FaultCode::BadRequest, std::move(detail), std::nullopt});
}

/// Each of them once, as they are written, and with a value that can be read: what is not understood is not left out.
std::optional<Fault> checkNames(std::string_view query)
{
    if (auto fault = admin::encodingFault(query)) {
        return fault;
    }
    constexpr std::array<std::string_view, 7> kNames{"by", "format", "from", "project", "session", "to", "user"};
    std::array<bool, kNames.size()> isThere{};
    for (std::string_view rest = query; !rest.empty();) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        const std::string_view part = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const auto* const name = std::find(kNames.begin(), kNames.end(), part.substr(0, part.find('=')));
        if (name == kNames.end() || std::exchange(isThere[static_cast<std::size_t>(name - kNames.begin())], true)) {
            return Fault{FaultCode::BadRequest, "there are by, format, from, project, session, to and user, each once",
                std::nullopt};
        }
    }
    return std::nullopt;
}

/// Every count of tokens, however deep, is a whole number from 0.
bool areWhole(const core::Json& node)
{
    if (!node.is_structured()) {
        return true;
    }
    for (const auto& [name, value] : node.items()) {
        const bool isCount = node.is_object() && name.find("tokens") != std::string::npos && value.is_number();
        if (isCount ? !value.is_number_unsigned() : !areWhole(value)) {
            return false;
        }
    }
    return true;
}

/// What is billed is in the event's `usage`, or in that of its `response`.
bool countsTokens(const std::string& event)
{
    const auto parsed = core::parseJson(event);
    if (!parsed || !parsed->is_object()) {
        return false;
    }
    const core::Json& whole = parsed->contains("response") ? parsed->at("response") : *parsed;
    return !whole.is_object() || !whole.contains("usage") || areWhole(whole.at("usage"));
}

net::HttpResponse written(const usage::UsageReport& report, bool isCsv)
{
    if (!isCsv) {
        return net::HttpResponse::json(200, core::writeJson(usage::writeJson(report)));
    }
    net::HttpResponse response;
    response.status = 200;
    response.headers.set("Content-Type", "text/csv; charset=utf-8; header=present");
    response.headers.set("Content-Disposition", "attachment; filename=\"usage.csv\"");
    response.body = usage::writeCsv(report);
    return response;
}

} // namespace

core::Expected<usage::UsageQuery, Fault> UsageApi::queryOf(
    const net::HttpRequest& request, const auth::Caller& caller) const
{
    const auto named = [&](const char* name) { return net::queryParameter(request.query, name); };
    usage::UsageQuery query;
    query.today = std::chrono::floor<std::chrono::days>(m_deps.clock.wallNow()).time_since_epoch().count();
    const std::string from = named("from");
    const std::string to = named("to");
    const std::string session = named("session");
    query.session = session.empty() ? std::nullopt : std::optional(session);
    // Of a session, whenever it was.
    const std::int64_t unasked = query.session ? 0 : query.today - kDaysUnasked + 1;
    const auto first = from.empty() ? std::optional(unasked) : usage::dayOfDate(from);
    const auto last = to.empty() ? std::optional(query.today) : usage::dayOfDate(to);
    if (!first || !last || *first > *last) {
        return bad("from and to have to be days as 2026-11-23, the first one not after the last");
    }
    query.from = *first;
    query.to = *last;
    const std::string by = named("by");
    const auto grouping = usage::groupingOf(by.empty() ? "day" : by);
    if (!grouping) {
        return bad("by has to be day, project, user, provider or model");
    }
    query.by = *grouping;
    const std::string user = named("user");
    if (!caller.may(auth::scope::kAdmin)) {
        if (!user.empty() && user != caller.key()) {
            return core::Unexpected<Fault>(
                Fault{FaultCode::InsufficientScope, "other users' usage is for admins", std::nullopt});
        }
        query.caller = caller.key();
    } else if (!user.empty()) {
        query.caller = user;
    }
    const std::string project = named("project");
    query.project = project.empty() ? std::nullopt : std::optional(project);
    return query;
}

net::Awaitable<net::HttpResponse> UsageApi::report(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kSession, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    if (const auto fault = checkNames(request.query)) {
        co_return problemResponse(*fault);
    }
    const std::string format = net::queryParameter(request.query, "format");
    if (!format.empty() && format != "json" && format != "csv") {
        co_return problemResponse(Fault{FaultCode::BadRequest, "format has to be json or csv", std::nullopt});
    }
    const auto query = queryOf(request, guest->client.caller);
    if (!query && query.error().code == FaultCode::InsufficientScope) {
        co_return m_deps.entrance.refuseWithout(auth::scope::kAdmin, guest->client, query.error().detail);
    }
    if (!query) {
        co_return problemResponse(query.error());
    }
    auto report = co_await m_deps.ledger.report(*query);
    if (!report) {
        co_return problemResponse(report.error());
    }
    const bool isCsv = format == "csv";
    if (report->rows.size() <= kFewRows) {
        co_return written(*report, isCsv);
    }
    std::function<net::HttpResponse()> write =
        [isCsv, own = std::make_shared<const usage::UsageReport>(std::move(*report))] { return written(*own, isCsv); };
    auto response = co_await m_deps.workshop.make<net::HttpResponse>(std::move(write));
    co_return response ? std::move(*response) : problemResponse(response.error());
}

core::Expected<std::vector<usage::Entry>, Fault> UsageApi::entriesOf(
    const core::broker::UsageReport& report, const usage::Ledger::DirectSession& session) const
{
    using usage::Measure;
    relay::SessionMeter meter({session.account.model, m_deps.rates.pricesOf(session.account), session.startedAt,
        m_deps.rates.isFree(session.account), report.transcriptionModel.value_or(std::string())});
    usage::Entry entry;
    entry.account = session.account;
    entry.isReported = true;
    // A clock of theirs that runs fast makes no session longer than it can have been.
    const auto longest = std::chrono::duration_cast<core::Milliseconds>(m_deps.clock.wallNow() - session.startedAt);
    entry.part = "client";
    entry.amounts = meter.stream(std::clamp(
        core::Milliseconds(report.connectedMs), core::Milliseconds{0}, std::max(longest, core::Milliseconds{0})));
    entry.amounts[Measure::ToolCalls] = report.toolCalls;
    std::vector<usage::Entry> entries{entry};
    for (const std::string& event : report.events) {
        std::string text = event;
        const auto bill = meter.read(text, m_deps.clock.now());
        if (!bill || !bill->isTold || !countsTokens(event)) {
            return core::Unexpected<Fault>(Fault{FaultCode::InvalidBody,
                "events have to be response.done or input_audio_transcription.completed, with what they billed in whole tokens",
                std::nullopt});
        }
        entry.part = bill->part;
        entry.amounts = bill->amounts;
        // Told beside them.
        entry.amounts[Measure::ToolCalls] = 0;
        entries.push_back(entry);
    }
    return entries;
}

net::Awaitable<net::HttpResponse> UsageApi::take(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kMint, auth::scope::kSession);
    if (!guest) {
        co_return std::move(guest.error());
    }
    if (const auto fault = checkContentType(request)) {
        co_return problemResponse(*fault);
    }
    const auto report = core::broker::decodeUsageReport(request.body);
    if (!report) {
        co_return problemResponse(Fault{FaultCode::InvalidBody, report.error().detail, std::nullopt});
    }
    // Before the database is asked, and of the user: who has many sessions tells no more than others.
    Visit visit;
    visit.door = Door::Report;
    visit.user = guest->client.caller.key();
    visit.address = guest->client.address;
    const Admission admission = co_await m_deps.gatekeeper.admit(std::move(visit));
    if (admission.fault) {
        m_deps.entrance.turnedAway(guest->client, faultRow(admission.fault->code).text);
        co_return chargedProblem(*admission.fault, admission.charge);
    }
    m_deps.entrance.countedElsewhere(request, *guest);
    const auto session = co_await m_deps.ledger.directSession(report->sessionId, guest->client.caller.key());
    if (!session) {
        if (session.error().code == FaultCode::SessionNotFound) {
            m_deps.entrance.turnedAway(
                guest->client, faultRow(FaultCode::SessionNotFound).text, sessionNamed(report->sessionId));
            co_return problemResponse(Fault{FaultCode::SessionNotFound,
                "there is no session of yours that went to the provider directly, a day ago or later, or as much was told of it as is taken",
                std::nullopt});
        }
        co_return problemResponse(session.error());
    }
    auto entries = entriesOf(*report, *session);
    if (!entries) {
        co_return problemResponse(entries.error());
    }
    const std::size_t count = report->events.size();
    // Budgets do not count it: nobody is to be ended for it.
    const auto recorded = co_await m_deps.ledger.record(std::move(*entries));
    static_cast<void>(recorded);
    const core::Json accepted{{"accepted", count}};
    co_return net::HttpResponse::json(200, core::writeJson(accepted));
}

} // namespace vivavoce::broker::http
