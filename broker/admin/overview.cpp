#include "broker/admin/overview.h"

#include "broker/resources.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <utility>

namespace vivavoce::broker::admin {
namespace {

using core::Json;

/// However many look, the ledger is asked no more often.
constexpr core::Milliseconds kTodayKept{3'000};

const char* stateOf(const std::optional<bool>& isFine)
{
    return !isFine ? "unknown" : *isFine ? "ok" : "failing";
}

const char* stateOf(StoreHealth health)
{
    switch (health) {
    case StoreHealth::Ok:
        return "ok";
    case StoreHealth::Degraded:
        return "degraded";
    case StoreHealth::Down:
        return "failing";
    }
    return "unknown";
}

Json servicesOf(const Readings& now)
{
    Json services{{"provider", stateOf(now.isProviderFine)}, {"limits", stateOf(now.limits)},
        {"database", stateOf(now.isStoreWorking)}, {"audit", stateOf(now.isAuditWorking)},
        {"issuers", stateOf(now.areIssuersFine)}};
    if (now.areProjectsFine) {
        services["projects"] = stateOf(now.areProjectsFine);
    }
    return services;
}

Json rowOf(const usage::UsageRow& row)
{
    return {{"sessions", row.sessions},
        {"minutes", static_cast<double>(row.amounts[usage::Measure::ConnectedMs]) / 60'000},
        {"cost", static_cast<double>(row.amounts[usage::Measure::NanoDollars]) / 1e9}};
}

} // namespace

net::Awaitable<Json> Overview::today()
{
    const core::MonotonicTime now = m_deps.clock.now();
    {
        const std::lock_guard lock(m_mutex);
        if (m_todayAt && now - *m_todayAt < kTodayKept) {
            co_return Json::parse(m_today);
        }
    }
    usage::UsageQuery query;
    query.today = std::chrono::floor<std::chrono::days>(m_deps.clock.wallNow()).time_since_epoch().count();
    query.from = query.today;
    query.to = query.today;
    query.by = usage::Grouping::Provider;
    const auto report = co_await m_deps.ledger.report(std::move(query));
    Json told;
    if (report) {
        told = rowOf(report->total);
        told["providers"] = Json::array();
        for (const usage::UsageRow& row : report->rows) {
            Json one = rowOf(row);
            one["provider"] = row.key;
            told["providers"].push_back(std::move(one));
        }
    }
    const std::lock_guard lock(m_mutex);
    m_todayAt = now;
    m_today = core::writeJson(told);
    co_return told;
}

net::Awaitable<Json> Overview::look()
{
    Json told = co_await today();
    const Readings now = m_deps.readings();
    const Metrics::Counts counts = m_deps.metrics.counts();
    Json providers = Json::array();
    for (const auto& [name, isFine] : m_deps.providers.states(true)) {
        providers.push_back({{"name", name}, {"state", stateOf(isFine)}});
    }
    Json overview{{"time", core::formatRfc3339(m_deps.clock.wallNow())}, {"version", VV_VERSION},
        {"uptimeSeconds",
            std::chrono::duration_cast<std::chrono::seconds>(m_deps.clock.now() - m_deps.started).count()},
        {"sessions", {{"live", now.sessionsLive}, {"most", now.sessionsMost}, {"streams", now.streams}}},
        {"tokens",
            {{"mintedDirect", counts.mintedDirect}, {"mintedRelay", counts.mintedRelay},
                {"refreshed", counts.renewed}}},
        {"blocksBegun", counts.blocks}, {"denials", counts.denials}, {"today", std::move(told)},
        {"services", servicesOf(now)}, {"providers", std::move(providers)},
        {"audit", {{"lines", now.auditLines}, {"failures", now.auditFailures}, {"queued", now.auditQueue}}},
        {"ledgerQueue", now.ledgerQueue}, {"connections", now.connections},
        {"requests",
            {{"total", m_deps.metrics.requests()}, {"errorRate", m_deps.metrics.errorRate()},
                {"averageMs", m_deps.metrics.averageMilliseconds()}}},
        {"keepsProjects", m_deps.keepsProjects}, {"keepsAudit", m_deps.keepsAudit}};
    if (const auto bytes = residentBytes()) {
        overview["memoryBytes"] = *bytes;
    }
    if (now.certificateEnd) {
        overview["certificateEnd"] = core::formatRfc3339(*now.certificateEnd);
    }
    co_return overview;
}

std::string Overview::news(const Json& overview)
{
    Json news = overview;
    // Whoever looks changes these by looking. A line of the audit is news; that it waits for a moment is none.
    for (const char* const name : {"time", "uptimeSeconds", "connections", "requests", "memoryBytes", "ledgerQueue"}) {
        news.erase(name);
    }
    news["audit"].erase("queued");
    return core::writeJson(news);
}

} // namespace vivavoce::broker::admin
