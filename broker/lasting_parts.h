#pragma once

#include "broker/alerts/alert_desk.h"
#include "broker/audit/audit_trail.h"
#include "broker/config.h"
#include "broker/http/denial_report.h"
#include "broker/http/sign_in_report.h"
#include "broker/limits/gatekeeper.h"
#include "broker/limits/limit_store_factory.h"
#include "broker/metrics.h"
#include "broker/relay/live_streams.h"
#include "broker/store/database.h"
#include "broker/tokens/session_ender.h"
#include "broker/tokens/sql_session_registry.h"
#include "broker/tokens/token_hasher.h"
#include "broker/transcripts/transcript_desk.h"
#include "broker/usage/ledger.h"
#include "broker/workshop.h"
#include "core/base/clock.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::broker {

/// What lives as long as the broker: stores, and whatever remembers something between two requests.
/// Lifetime: shared with the handlers, some of which may be cut off only when the io_context goes; clock and log outlive it.
struct LastingParts {
    LastingParts(const Config& config, std::unique_ptr<LimitStore> limitStore, std::unique_ptr<AuditTrail> auditTrail,
        std::unique_ptr<Database> store, const core::Clock& ownClock, Log& ownLog);

    const core::Clock& clock;
    Log& log;
    const core::MonotonicTime started;
    /// Before those who count with it.
    Metrics metrics;
    std::unique_ptr<LimitStore> limits;
    std::unique_ptr<AuditTrail> audit;
    std::unique_ptr<Database> database;
    TokenHasher hasher;
    SqlSessionRegistry registry;
    const std::shared_ptr<alerts::SpendingWatch> spending;
    usage::Ledger ledger;
    transcripts::TranscriptDesk transcriptDesk;
    alerts::AlertBook alertBook;
    alerts::AlertDesk alertDesk;
    relay::LiveStreams streams;
    SessionEnder ender;
    Gatekeeper gatekeeper;
    http::DenialReport denials;
    http::SignInReport signIns;
    /// For long answers.
    Workshop workshop;
};

/// BadConfiguration, OutputUnwritable, AlreadyRunning: those of the stores.
[[nodiscard]] core::Expected<std::shared_ptr<LastingParts>, core::Error> makeLastingParts(
    const Config& config, const core::Clock& clock, Log& log);

/// The database that the configuration names. OutputUnwritable, BadConfiguration.
[[nodiscard]] core::Expected<std::unique_ptr<Database>, core::Error> openDatabase(const Config& config, Log& log);
[[nodiscard]] Gatekeeper::Settings gatekeeperSettings(const Config& config);
[[nodiscard]] alerts::Observed observedFor(
    const LastingParts& lasting, const std::vector<std::pair<std::string, std::optional<bool>>>& providers);
/// For how long a renewal may be under way at most.
[[nodiscard]] core::Milliseconds claimWindow(const Config& config);

} // namespace vivavoce::broker
