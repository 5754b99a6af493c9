#include "broker/admin/audit_api.h"

#include "broker/admin/page_query.h"
#include "broker/audit/audit_event.h"
#include "broker/http/problem_response.h"
#include "core/base/json.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace vivavoce::broker::admin {
namespace {

using core::Json;
using core::Unexpected;
using http::problemResponse;
using Chain = AuditDesk::Chain;

net::HttpResponse done(const Json& body)
{
    return net::HttpResponse::json(200, core::writeJson(body));
}

core::Unexpected<Fault> bad(std::string detail)
{
    return Unexpected<Fault>(Fault{FaultCode::BadRequest, std::move(detail), std::nullopt});
}

Json verificationJson(const AuditDesk::Verification& told)
{
    using State = AuditDesk::Verification::State;
    if (told.state == State::Never) {
        return {{"state", "never"}};
    }
    Json json{{"since", core::formatRfc3339(told.since)}};
    if (told.state == State::Running || told.state == State::Absent) {
        json["state"] = told.state == State::Running ? "running" : "absent";
        return json;
    }
    json["state"] = told.state == State::Whole ? "whole" : "flawed";
    json["lines"] = told.summary.lines;
    json["files"] = told.summary.files;
    json["lastHash"] = told.summary.lastHash;
    if (told.state == State::Flawed) {
        json["flaw"] = told.flaw;
        json["file"] = told.file;
        json["line"] = told.line;
    }
    return json;
}

Json chainsJson(const AuditDesk& desk)
{
    Json chains = Json::array();
    for (const Chain chain : AuditDesk::kChains) {
        chains.push_back({{"chain", textOf(chain)}, {"verification", verificationJson(desk.verification(chain))}});
    }
    return chains;
}

Fault keepsNoAudit()
{
    return {FaultCode::NotFound, "this broker keeps no audit", std::nullopt};
}

core::Expected<AuditTailQuery, Fault> queryOf(const PageQuery& page)
{
    AuditTailQuery query;
    query.most = page.limit();
    if (const auto before = page.text("before")) {
        std::uint64_t number = 0;
        const auto [end, error] = std::from_chars(before->data(), before->data() + before->size(), number);
        if (error != std::errc() || end != before->data() + before->size() || number == 0) {
            return bad("before has to be the number of a line");
        }
        query.before = number;
    }
    const std::string kind = page.text("kind").value_or("all");
    if (kind == "security") {
        for (const AuditEvent event :
            {AuditEvent::Deny, AuditEvent::Reuse, AuditEvent::Block, AuditEvent::Unblock, AuditEvent::Kill}) {
            query.events.emplace_back(auditEventText(event));
        }
    } else if (kind != "all") {
        return bad("kind has to be all or security");
    }
    return query;
}

core::Expected<Chain, Fault> chainOf(const PageQuery& page)
{
    const std::string text = page.text("chain").value_or(std::string(textOf(Chain::Broker)));
    const auto* const found = std::find_if(
        AuditDesk::kChains.begin(), AuditDesk::kChains.end(), [&](Chain chain) { return textOf(chain) == text; });
    return found == AuditDesk::kChains.end()
        ? core::Expected<Chain, Fault>(bad("chain has to be broker or command-line"))
        : core::Expected<Chain, Fault>(*found);
}

} // namespace

std::vector<AuditApi::Route> AuditApi::routes()
{
    return {
        {"GET", "/api/admin/audit", &AuditApi::tail},
        {"POST", "/api/admin/audit/verify", &AuditApi::verify},
    };
}

net::Awaitable<net::HttpResponse> AuditApi::tail(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const auto page = PageQuery::read(request.query, {"before", "chain", "kind"});
    if (!page) {
        co_return problemResponse(page.error());
    }
    auto query = queryOf(*page);
    const auto chain = chainOf(*page);
    if (!query || !chain) {
        co_return problemResponse(query ? chain.error() : query.error());
    }
    if (m_deps.desk == nullptr) {
        co_return problemResponse(keepsNoAudit());
    }
    const auto tail = co_await m_deps.desk->tail(*chain, std::move(*query));
    if (!tail) {
        co_return problemResponse(tail.error());
    }
    Json lines = Json::array();
    for (const std::string& line : tail->lines) {
        if (auto json = core::parseJson(line)) {
            lines.push_back(std::move(*json));
        }
    }
    Json body{{"chain", textOf(*chain)}, {"lines", std::move(lines)}, {"isWhole", tail->isWhole},
        {"verification", verificationJson(m_deps.desk->verification(*chain))}, {"chains", chainsJson(*m_deps.desk)}};
    if (tail->next) {
        body["next"] = *tail->next;
    }
    co_return done(body);
}

net::Awaitable<net::HttpResponse> AuditApi::verify(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    if (m_deps.desk == nullptr) {
        co_return problemResponse(keepsNoAudit());
    }
    m_deps.desk->verify(m_deps.clock.wallNow());
    const Json body{{"verification", verificationJson(m_deps.desk->verification(Chain::Broker))},
        {"chains", chainsJson(*m_deps.desk)}};
    co_return done(body);
}

} // namespace vivavoce::broker::admin
