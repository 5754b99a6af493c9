#include "broker/lasting_parts.h"

#include "broker/audit/file_audit_trail.h"
#include "net/http_client.h"

#include <boost/asio/ip/host_name.hpp>
#include <nlohmann/json.hpp>
#include <openssl/rand.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

namespace vivavoce::broker {
namespace {

constexpr const char* kInMemory = "sqlite://:memory:";
constexpr const char* kDefaultFile = "sqlite://vivavoce-broker.db";

core::Expected<LimitStoreSettings, core::Error> limitStoreSettings(const Config& config)
{
    LimitStoreSettings settings;
    settings.outage = config.limitsDegrade ? OutagePolicy::DegradeToMemory : OutagePolicy::FailClosed;
    if (!config.redisUrl.empty()) {
        auto address = RedisAddress::parse(config.redisUrl.reveal());
        if (!address) {
            return core::Unexpected<core::Error>(address.error());
        }
        settings.redis.emplace();
        settings.redis->address = std::move(*address);
        settings.redis->key = config.secret.clone();
        settings.redis->formerKey = config.previousSecret.clone();
    }
    return settings;
}

core::Expected<std::unique_ptr<AuditTrail>, core::Error> auditOf(
    const Config& config, const core::Clock& clock, Log& log)
{
    if (config.isEmbedded) {
        return std::unique_ptr<AuditTrail>(std::make_unique<DiscardingAuditTrail>());
    }
    if (config.auditFolder.empty()) {
        return core::fail(core::ErrorCode::BadConfiguration, "audit.folder has to say where the audit is kept");
    }
    FileAuditTrail::Settings settings;
    settings.folder = config.auditFolder;
    auto trail = FileAuditTrail::create(settings, {clock, log});
    if (!trail) {
        return core::Unexpected<core::Error>(trail.error());
    }
    return std::unique_ptr<AuditTrail>(std::move(*trail));
}

/// A block begins: the audit is told, and nobody waits for that.
AuditRecord recordOf(const BlockEvent& event)
{
    AuditRecord record;
    record.event = AuditEvent::Block;
    record.outcome = AuditOutcome::Done;
    record.why = event.bucket;
    record.peer = event.address;
    record.target = event.user;
    return record;
}

/// The same for operators. One that begins anew within the hour, at the same length, is told once.
void raise(const BlockEvent& event, const core::Clock& clock, alerts::AlertDesk& desk)
{
    const auto hour = std::chrono::floor<std::chrono::hours>(clock.wallNow()).time_since_epoch().count();
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(event.length).count();
    const core::Json data{{"user", event.user}, {"bucket", event.bucket}, {"level", event.level}, {"seconds", seconds}};
    desk.raise(alerts::AlertKind::Block, alerts::Severity::Warning,
        "A user is blocked for " + std::to_string(seconds) + " s: requests went on although each answer asked to wait",
        data, "block\n" + event.user + "\n" + std::to_string(event.level) + "\n" + std::to_string(hour));
}

double randomShare()
{
    std::uint32_t random = 0;
    void* const bytes = &random;
    // Jitter: any number does where there is none.
    static_cast<void>(RAND_bytes(static_cast<unsigned char*>(bytes), sizeof(random)));
    return static_cast<double>(random) / static_cast<double>(std::numeric_limits<std::uint32_t>::max());
}

/// For people, who have several.
std::string nameOf(const Config& config)
{
    boost::system::error_code error;
    const std::string host = boost::asio::ip::host_name(error);
    return (error || host.empty() ? config.address : host) + ":" + std::to_string(config.port);
}

void apply(const Config& config, const BucketConfig& own, std::size_t perMinute, Bucket& bucket)
{
    bucket.maxRequests = own.maxRequests.value_or(perMinute);
    bucket.window = own.window.value_or(std::chrono::minutes(1));
    bucket.penalty.violations = own.violations.value_or(config.violationsToBlock);
    bucket.penalty.firstBlock = own.blockDuration.value_or(config.blockDuration);
}

Workshop::Settings workshopSettings()
{
    Workshop::Settings settings;
    settings.threads = 2;
    settings.refusal = "as many reports are being written as can be";
    return settings;
}

SqlSessionRegistry::Limits registryLimits(const Config& config)
{
    SqlSessionRegistry::Limits limits;
    limits.maxSessions = config.maxSessions;
    limits.claimWindow = claimWindow(config);
    return limits;
}

} // namespace

LastingParts::LastingParts(const Config& config, std::unique_ptr<LimitStore> limitStore,
    std::unique_ptr<AuditTrail> auditTrail, std::unique_ptr<Database> store, const core::Clock& ownClock, Log& ownLog)
    : clock(ownClock),
      log(ownLog),
      started(clock.now()),
      limits(std::move(limitStore)),
      audit(std::move(auditTrail)),
      database(std::move(store)),
      hasher(config.secret.empty() ? TokenHasher() : TokenHasher(config.secret)),
      registry(registryLimits(config), *database, clock),
      spending(std::make_shared<alerts::SpendingWatch>()),
      ledger({config.usageKept},
          {*database, clock, log,
              [spending = spending](const usage::Account& account, const std::string& exhausted) {
                  spending->note(account, exhausted);
              }}),
      transcriptDesk({}, config.transcriptsKept, {*database, clock, log}),
      alertBook(*database, clock),
      alertDesk(config.alerts,
          {alertBook, ledger, clock, log, metrics, &net::sendRequest, &randomShare, spending, nameOf(config)}),
      ender(registry, *audit, ledger, &streams),
      gatekeeper(gatekeeperSettings(config),
          {*limits, clock, log,
              [this](const BlockEvent& event) {
                  metrics.blocked();
                  static_cast<void>(audit->append(recordOf(event)));
                  raise(event, clock, alertDesk);
              }}),
      denials(*audit, clock, log),
      signIns({*audit, hasher, log}),
      workshop(workshopSettings())
{
    registry.dropFormerClaims();
}

core::Expected<std::shared_ptr<LastingParts>, core::Error> makeLastingParts(
    const Config& config, const core::Clock& clock, Log& log)
{
    auto settings = limitStoreSettings(config);
    if (!settings) {
        return core::Unexpected<core::Error>(settings.error());
    }
    auto limits = makeLimitStore(std::move(*settings), clock, log);
    if (!limits) {
        return core::Unexpected<core::Error>(limits.error());
    }
    auto audit = auditOf(config, clock, log);
    if (!audit) {
        return core::Unexpected<core::Error>(audit.error());
    }
    auto database = openDatabase(config, log);
    if (!database) {
        return core::Unexpected<core::Error>(database.error());
    }
    return std::make_shared<LastingParts>(
        config, std::move(*limits), std::move(*audit), std::move(*database), clock, log);
}

core::Expected<std::unique_ptr<Database>, core::Error> openDatabase(const Config& config, Log& log)
{
    Database::Settings settings;
    settings.url = !config.databaseUrl.empty() ? config.databaseUrl.clone()
                                               : core::Secret(config.isEmbedded ? kInMemory : kDefaultFile);
    return Database::open(std::move(settings), log);
}

core::Milliseconds claimWindow(const Config& config)
{
    // The audit's patience, the database's, and a little.
    constexpr core::Milliseconds kBesideTheProvider{15'000};
    return config.providerTimeout + kBesideTheProvider;
}

alerts::Observed observedFor(
    const LastingParts& lasting, const std::vector<std::pair<std::string, std::optional<bool>>>& providers)
{
    alerts::Observed observed;
    for (const auto& [name, isFine] : providers) {
        if (isFine) {
            observed.providers.emplace_back(name, *isFine);
        }
    }
    observed.isAuditWorking = lasting.audit->isWorking();
    observed.answers = lasting.metrics.requests();
    observed.failures = lasting.metrics.failures();
    return observed;
}

Gatekeeper::Settings gatekeeperSettings(const Config& config)
{
    Gatekeeper::Settings settings;
    apply(config, config.mintBucket, config.mintsPerMinute, settings.mint.bucket);
    apply(config, config.sessionBucket, config.mintsPerMinute, settings.session.bucket);
    apply(config, config.refreshBucket, config.refreshesPerMinute, settings.refresh.bucket);
    settings.report.bucket.maxRequests = config.refreshesPerMinute;
    settings.address.maxRequests = config.strangersPerMinute;
    settings.credential.maxRequests = config.othersPerMinute;
    settings.maxSessionsPerUser = config.sessionsPerUser;
    return settings;
}

} // namespace vivavoce::broker
