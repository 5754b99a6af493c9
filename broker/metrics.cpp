#include "broker/metrics.h"

#include "broker/alerts/alert.h"
#include "broker/resources.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <utility>
#include <vector>

namespace vivavoce::broker {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr const char* kOther = "other";
constexpr std::array<std::string_view, 7> kMethods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

/// From a look into memory to the deadline of a handler.
const prometheus::Histogram::BucketBoundaries& bounds()
{
    static const prometheus::Histogram::BucketBoundaries all{
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0};
    return all;
}

std::string knownMethod(std::string_view method)
{
    const bool isKnown = std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
    return isKnown ? std::string(method) : kOther;
}

double inSeconds(core::MonotonicTime::duration took)
{
    return std::chrono::duration<double>(took).count();
}

double inSeconds(core::WallTime time)
{
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// One value that is read when it is asked for.
MetricFamily single(MetricType type, std::string name, std::string help, double value)
{
    MetricFamily family{std::move(name), std::move(help), type, {}};
    ClientMetric& metric = family.metric.emplace_back();
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    return family;
}

MetricFamily gauge(std::string name, std::string help, double value)
{
    return single(MetricType::Gauge, std::move(name), std::move(help), value);
}

/// A series for each state, of which one is 1: an alert then compares with no number that has a meaning.
MetricFamily states(
    std::string name, std::string help, std::initializer_list<std::string_view> all, std::string_view present)
{
    MetricFamily family{std::move(name), std::move(help), MetricType::Gauge, {}};
    for (const std::string_view state : all) {
        ClientMetric& metric = family.metric.emplace_back();
        metric.label.push_back({"state", std::string(state)});
        metric.gauge.value = state == present ? 1 : 0;
    }
    return family;
}

std::string_view stateText(const std::optional<bool>& isFine)
{
    return !isFine ? "unknown" : *isFine ? "ok" : "failing";
}

std::string_view stateText(StoreHealth health)
{
    switch (health) {
    case StoreHealth::Ok:
        return "ok";
    case StoreHealth::Degraded:
        return "degraded";
    case StoreHealth::Down:
        return "failing";
    }
    return "failing";
}

} // namespace

struct Metrics::Families {
    using CounterFamily = prometheus::Family<prometheus::Counter>;
    using HistogramFamily = prometheus::Family<prometheus::Histogram>;

    CounterFamily& counters(const char* name, const char* help)
    {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    }
    HistogramFamily& histograms(const char* name, const char* help)
    {
        return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
    }

    prometheus::Registry registry;
    CounterFamily& requests = counters(
        "vivavoce_http_requests_total", "Answers by template of the route; other: no route, or no request at all.");
    HistogramFamily& durations =
        histograms("vivavoce_http_request_duration_seconds", "From a request that is whole to its answer.");
    CounterFamily& mintedFamily =
        counters("vivavoce_tokens_minted_total", "Sessions begun, by the way their sound goes.");
    prometheus::Counter& mintedDirect =
        mintedFamily.Add({{"transport", std::string(transportText(SessionTransport::Direct))}});
    prometheus::Counter& mintedRelay =
        mintedFamily.Add({{"transport", std::string(transportText(SessionTransport::Relay))}});
    prometheus::Counter& renewed =
        counters("vivavoce_tokens_refreshed_total", "Further tokens of sessions, also of those that were resumed.")
            .Add({});
    CounterFamily& denials =
        counters("vivavoce_denials_total", "Requests whose bearer may not, by code of the problem.");
    prometheus::Counter& blocks = counters("vivavoce_blocks_total", "Blocks that have begun here.").Add({});
    CounterFamily& alerts = counters("vivavoce_alerts_total", "Alerts that this broker has written down, by kind.");
    CounterFamily& alertAttempts =
        counters("vivavoce_alert_attempts_total", "Attempts to tell somebody of an alert, by kind of channel.");
    CounterFamily& provided = counters(
        "vivavoce_provider_requests_total", "Tokens that the provider was asked for: ok, or the code of the problem.");
    prometheus::Counter& providedOk = provided.Add({{"outcome", "ok"}});
    prometheus::Histogram& providerDuration = histograms(
        "vivavoce_provider_request_duration_seconds", "From the question for a token to the provider's answer.")
                                                  .Add({}, bounds());
    prometheus::Counter& quotedKeys = counters("vivavoce_provider_quoted_keys_total",
        "Streams in which the provider has repeated a credential of ours, which was hidden from the client.")
                                          .Add({});

    std::atomic<std::int64_t> answers{0};
    std::atomic<std::int64_t> failures{0};
    std::atomic<std::int64_t> microseconds{0};
    const double started =
        inSeconds(std::chrono::time_point_cast<core::WallTime::duration>(std::chrono::system_clock::now()));
};

Metrics::Metrics() : m_families(std::make_unique<Families>())
{
    // There from the beginning: what is not there cannot be seen to rise.
    for (const alerts::AlertKind kind : alerts::allAlertKinds()) {
        m_families->alerts.Add({{"kind", std::string(alerts::textOf(kind))}});
    }
    for (const char* const channel : {"webhook", "slack", "smtp"}) {
        for (const char* const outcome : {"sent", "failed", "given_up"}) {
            m_families->alertAttempts.Add({{"channel", channel}, {"outcome", outcome}});
        }
    }
}

Metrics::~Metrics() = default;

void Metrics::answered(
    std::string_view method, std::string_view route, unsigned status, core::MonotonicTime::duration took)
{
    ++m_families->answers;
    m_families->failures += status >= 500 ? 1 : 0;
    m_families->microseconds += std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    m_families->requests
        .Add({{"route", std::string(route)}, {"method", knownMethod(method)}, {"status", std::to_string(status)}})
        .Increment();
    m_families->durations.Add({{"route", std::string(route)}}, bounds()).Observe(inSeconds(took));
}

void Metrics::answeredUnrouted(std::string_view method, unsigned status)
{
    m_families->requests.Add({{"route", kOther}, {"method", knownMethod(method)}, {"status", std::to_string(status)}})
        .Increment();
}

void Metrics::tokenMinted(SessionTransport transport)
{
    (transport == SessionTransport::Relay ? m_families->mintedRelay : m_families->mintedDirect).Increment();
}

void Metrics::tokenRenewed()
{
    m_families->renewed.Increment();
}

void Metrics::denied(std::string_view reason)
{
    const FaultRow* const row = findFault(reason);
    m_families->denials.Add({{"reason", row == nullptr ? kOther : std::string(row->text)}}).Increment();
}

void Metrics::blocked()
{
    m_families->blocks.Increment();
}

void Metrics::alertRaised(std::string_view kind)
{
    m_families->alerts.Add({{"kind", std::string(kind)}}).Increment();
}

void Metrics::alertAttempted(std::string_view channel, std::string_view outcome)
{
    m_families->alertAttempts.Add({{"channel", std::string(channel)}, {"outcome", std::string(outcome)}}).Increment();
}

void Metrics::providerAnswered(std::optional<FaultCode> fault, core::MonotonicTime::duration took)
{
    if (fault) {
        m_families->provided.Add({{"outcome", std::string(faultRow(*fault).text)}}).Increment();
    } else {
        m_families->providedOk.Increment();
    }
    m_families->providerDuration.Observe(inSeconds(took));
}

void Metrics::keyQuoted()
{
    m_families->quotedKeys.Increment();
}

std::int64_t Metrics::requests() const
{
    return m_families->answers;
}

std::int64_t Metrics::failures() const
{
    return m_families->failures;
}

std::int64_t Metrics::renewals() const
{
    return static_cast<std::int64_t>(m_families->renewed.Value());
}

double Metrics::errorRate() const
{
    const std::int64_t answers = m_families->answers;
    return answers == 0 ? 0 : static_cast<double>(m_families->failures) / static_cast<double>(answers);
}

double Metrics::averageMilliseconds() const
{
    const std::int64_t answers = m_families->answers;
    return answers == 0 ? 0 : static_cast<double>(m_families->microseconds) / 1000.0 / static_cast<double>(answers);
}

Metrics::Counts Metrics::counts() const
{
    const auto whole = [](double value) { return static_cast<std::int64_t>(value); };
    Counts counts;
    counts.mintedDirect = whole(m_families->mintedDirect.Value());
    counts.mintedRelay = whole(m_families->mintedRelay.Value());
    counts.renewed = whole(m_families->renewed.Value());
    counts.blocks = whole(m_families->blocks.Value());
    for (const MetricFamily& family : m_families->denials.Collect()) {
        for (const ClientMetric& metric : family.metric) {
            counts.denials[metric.label.front().value] += whole(metric.counter.value);
        }
    }
    return counts;
}

std::string Metrics::scrape(const Readings& now) const
{
    std::vector<MetricFamily> all = m_families->registry.Collect();
    const auto count = [](auto number) { return static_cast<double>(number); };
    all.push_back(gauge("vivavoce_sessions_live", "Sessions with a live token.", count(now.sessionsLive)));
    all.push_back(gauge("vivavoce_sessions_max", "As many may be live.", count(now.sessionsMost)));
    all.push_back(gauge("vivavoce_connections", "Open connections.", count(now.connections)));
    all.push_back(gauge("vivavoce_streams", "Streams through the relay.", count(now.streams)));
    all.push_back(
        gauge("vivavoce_ledger_queue", "Entries of the ledger that wait for the database.", count(now.ledgerQueue)));
    all.push_back(
        gauge("vivavoce_alert_queue", "Alerts that wait for the database to be written down.", count(now.alertQueue)));
    all.push_back(gauge(
        "vivavoce_transcript_queue", "Lines of transcripts that wait for the database.", count(now.transcriptQueue)));
    all.push_back(single(MetricType::Counter, "vivavoce_transcript_lines_lost_total",
        "Lines of transcripts that found no room while the database was away.", count(now.transcriptLinesLost)));
    all.push_back(gauge("vivavoce_store_up", "1: the database answers.", now.isStoreWorking ? 1 : 0));
    all.push_back(states("vivavoce_limits_store_state", "How limits are decided; degraded: by each broker for itself.",
        {"ok", "degraded", "failing"}, stateText(now.limits)));
    all.push_back(states("vivavoce_provider_state", "How the provider answered last.", {"unknown", "ok", "failing"},
        stateText(now.isProviderFine)));
    all.push_back(states("vivavoce_issuers_state", "failing: one of those who vouch for users does not answer.",
        {"unknown", "ok", "failing"}, stateText(now.areIssuersFine)));
    all.push_back(states("vivavoce_projects_state", "How the webhook of the projects answered last.",
        {"unknown", "ok", "failing"}, stateText(now.areProjectsFine)));
    all.push_back(gauge("vivavoce_audit_up", "1: the audit takes lines.", now.isAuditWorking ? 1 : 0));
    all.push_back(
        single(MetricType::Counter, "vivavoce_audit_lines_total", "Lines that are on disk.", count(now.auditLines)));
    all.push_back(single(MetricType::Counter, "vivavoce_audit_failures_total", "Lines that found no room or no disk.",
        count(now.auditFailures)));
    all.push_back(gauge("vivavoce_audit_queue", "Lines that wait for the disk.", count(now.auditQueue)));
    if (now.certificateEnd) {
        all.push_back(gauge("vivavoce_certificate_expiry_timestamp_seconds", "When the listener's certificate ends.",
            inSeconds(*now.certificateEnd)));
    }
    all.push_back(gauge("process_start_time_seconds", "When the process started, since 1970.", m_families->started));
    if (const auto resident = residentBytes()) {
        all.push_back(gauge("process_resident_memory_bytes", "Resident memory.", count(*resident)));
    }
    MetricFamily build = gauge("vivavoce_build_info", "1, with the version.", 1);
    build.metric.front().label.push_back({"version", VV_VERSION});
    all.push_back(std::move(build));
    return prometheus::TextSerializer().Serialize(all);
}

} // namespace vivavoce::broker
