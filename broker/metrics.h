#pragma once

#include "broker/fault.h"
#include "broker/limits/limit_store.h"
#include "broker/tokens/session_registry.h"
#include "core/base/clock.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker {

/// What the parts of the broker say of themselves when they are asked, for one scrape.
struct Readings {
    /// As of the last look, at most a second ago while the store answers.
    std::size_t sessionsLive = 0;
    std::size_t sessionsMost = 0;
    std::size_t connections = 0;
    /// Through this broker's relay.
    std::size_t streams = 0;
    /// Entries of the ledger that the store has not taken yet.
    std::size_t ledgerQueue = 0;
    /// Lines of transcripts that the store has not taken yet, and those that found no room or no store since the start.
    std::size_t transcriptQueue = 0;
    std::uint64_t transcriptLinesLost = 0;
    bool isStoreWorking = false;
    StoreHealth limits = StoreHealth::Ok;
    /// Unset: nothing is known yet.
    std::optional<bool> isProviderFine;
    std::optional<bool> areIssuersFine;
    std::optional<bool> areProjectsFine;
    bool isAuditWorking = false;
    /// Records that are on disk, that could not be brought there, and that wait; since the start.
    std::uint64_t auditLines = 0;
    std::uint64_t auditFailures = 0;
    std::size_t auditQueue = 0;
    /// Alerts that were raised and are not in the database yet.
    std::size_t alertQueue = 0;
    /// When the certificate of the listener ends; unset without one.
    std::optional<core::WallTime> certificateEnd;
};

/// The counts that the broker keeps, for the health page and for Prometheus (docs/operations.md, "Metrics and alerts").
/// Invariant: every label has a fixed set of values: templates of routes, codes, states. Whatever a caller can make up is "other".
/// Threads: [any thread].
class Metrics {
public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    /// A handler's answer. `route` is the route's template, never the path of the request.
    void answered(std::string_view method, std::string_view route, unsigned status, core::MonotonicTime::duration took);
    /// An answer that no route gave: unknown paths, requests that are none.
    void answeredUnrouted(std::string_view method, unsigned status);
    void tokenMinted(SessionTransport transport);
    /// A session got its next token, by refresh or by being resumed.
    void tokenRenewed();
    /// `reason` is a code of the faults' table; anything else counts as "other".
    void denied(std::string_view reason);
    void blocked();
    /// `kind` is one of the alerts' kinds.
    void alertRaised(std::string_view kind);
    /// Somebody was to be told. `channel` is its kind: "webhook"; `outcome` "sent", "failed", "given_up".
    void alertAttempted(std::string_view channel, std::string_view outcome);
    /// The provider was asked for a token. Nothing: it gave one.
    void providerAnswered(std::optional<FaultCode> fault, core::MonotonicTime::duration took);

    /// A provider has repeated a credential of ours in what it said through the relay. Once a stream.
    void keyQuoted();

    /// Of handlers' answers, since the start.
    [[nodiscard]] std::int64_t requests() const;
    /// Those of them that were faults of ours.
    [[nodiscard]] std::int64_t failures() const;
    [[nodiscard]] std::int64_t renewals() const;
    /// 0 to 1.
    [[nodiscard]] double errorRate() const;
    [[nodiscard]] double averageMilliseconds() const;

    /// What was counted since the start, for the dashboard.
    struct Counts {
        std::int64_t mintedDirect = 0;
        std::int64_t mintedRelay = 0;
        std::int64_t renewed = 0;
        std::int64_t blocks = 0;
        /// By code of the problem.
        std::map<std::string, std::int64_t> denials;
    };
    [[nodiscard]] Counts counts() const;

    /// All of it in Prometheus' text format, version 0.0.4.
    [[nodiscard]] std::string scrape(const Readings& now) const;
    [[nodiscard]] static std::string_view contentType() { return "text/plain; version=0.0.4; charset=utf-8"; }

private:
    struct Families;
    const std::unique_ptr<Families> m_families;
};

} // namespace vivavoce::broker
