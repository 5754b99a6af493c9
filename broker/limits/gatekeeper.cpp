#include "broker/limits/gatekeeper.h"

#include <boost/asio/ip/address.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker {
namespace {

using std::chrono::seconds;

constexpr const char* kAddressPolicy = "address";
constexpr const char* kCredentialPolicy = "credential";
constexpr const char* kSessionsPolicy = "sessions";

Fault overLimit(const std::string& policy, std::int64_t retryAfter)
{
    return {FaultCode::RateLimited, "the quota \"" + policy + "\" is used up", seconds(retryAfter), policy};
}

Charge chargeOf(const Bucket& bucket, const Decision& decision)
{
    SlidingWindow::Policy limits;
    limits.maxRequests = bucket.maxRequests;
    limits.window = bucket.window;
    SlidingWindow::Decision told;
    told.isAllowed = decision.isAdmitted();
    told.limit = decision.limit;
    told.remaining = decision.remaining;
    told.secondsToReset = decision.secondsToReset;
    return {bucket.name, limits, told};
}

/// By one of our own windows, which tells of itself only where it refuses.
Admission guardedBy(SlidingWindow& window, const char* policy, std::string_view key)
{
    const auto decision = window.take(key);
    if (decision.isAllowed) {
        return {std::nullopt, std::nullopt, decision.ticket};
    }
    return {overLimit(policy, decision.secondsToReset), Charge{policy, window.policy(), decision}};
}

std::string quotaOf(const DoorSettings& door, const Visit& visit)
{
    if (!visit.sessionId.empty()) {
        return visit.sessionId;
    }
    if (door.quotaOf == QuotaOf::UserAndAddress) {
        // No address has a line break, so that no two pairs read the same.
        return addressKey(visit.address) + "\n" + visit.user;
    }
    return visit.user;
}

const DoorSettings& doorOf(const Gatekeeper::Settings& settings, Door door)
{
    switch (door) {
    case Door::Session:
        return settings.session;
    case Door::Refresh:
        return settings.refresh;
    case Door::Report:
        return settings.report;
    case Door::Mint:
        break;
    }
    return settings.mint;
}

std::optional<Fault> faultOf(
    const Gatekeeper::Settings& settings, const Bucket& bucket, const Decision& decision, const Visit& visit)
{
    switch (decision.verdict) {
    case Decision::Verdict::OverLimit:
        return overLimit(bucket.name, decision.secondsToReset);
    case Decision::Verdict::Blocked:
        return Fault{FaultCode::Blocked, "requests went on although each answer asked to wait",
            seconds(decision.secondsToReset), bucket.name};
    case Decision::Verdict::Admitted:
        break;
    }
    const bool opensOne = visit.door == Door::Mint || visit.door == Door::Session;
    if (opensOne && visit.openSessions >= settings.maxSessionsPerUser) {
        return Fault{FaultCode::TooManySessions,
            "at most " + std::to_string(settings.maxSessionsPerUser) + " at the same time",
            // Never before the bucket has room for the attempt.
            decision.remaining > 0
                ? settings.sessionsRetryAfter
                : std::max<core::Milliseconds>(settings.sessionsRetryAfter, seconds(decision.secondsToReset)),
            kSessionsPolicy};
    }
    return std::nullopt;
}

} // namespace

Gatekeeper::Gatekeeper(Settings settings, Dependencies dependencies)
    : m_deps(std::move(dependencies)),
      m_settings(std::make_shared<const Settings>(std::move(settings))),
      m_addresses(m_settings->address, m_deps.clock),
      m_credentials(m_settings->credential, m_deps.clock)
{
}

void Gatekeeper::reconfigure(Settings settings)
{
    m_addresses.setMaxRequests(settings.address.maxRequests);
    m_credentials.setMaxRequests(settings.credential.maxRequests);
    auto changed = std::make_shared<const Settings>(std::move(settings));
    const std::lock_guard lock(m_mutex);
    m_settings.swap(changed);
}

std::shared_ptr<const Gatekeeper::Settings> Gatekeeper::settings() const
{
    const std::lock_guard lock(m_mutex);
    return m_settings;
}

Admission Gatekeeper::admitAddress(const std::string& address)
{
    return guardedBy(m_addresses, kAddressPolicy, addressKey(address));
}

void Gatekeeper::authenticated(const std::string& address, const SlidingWindow::Ticket& ticket)
{
    m_addresses.giveBack(addressKey(address), ticket);
}

Admission Gatekeeper::admitCredential(std::string_view credential)
{
    return guardedBy(m_credentials, kCredentialPolicy, credential);
}

void Gatekeeper::countedElsewhere(std::string_view credential, const SlidingWindow::Ticket& ticket)
{
    m_credentials.giveBack(credential, ticket);
}

net::Awaitable<Admission> Gatekeeper::admit(Visit visit)
{
    const auto settings = this->settings();
    const DoorSettings& door = doorOf(*settings, visit.door);
    LimitSubject subject;
    subject.quota = quotaOf(door, visit);
    subject.offender = visit.user;
    auto decision = co_await m_deps.store.take(door.bucket, std::move(subject));
    if (!decision) {
        m_deps.log.write(LogLevel::Warning, "limits.unavailable",
            {{"bucket", door.bucket.name}, {"reason", decision.error().reason}});
        Admission refused;
        refused.fault = Fault{FaultCode::Unavailable, "limits cannot be checked now", settings->outageRetryAfter, {}};
        co_return refused;
    }
    if (decision->isNewBlock && m_deps.onBlock) {
        BlockEvent event;
        event.user = visit.user;
        event.bucket = door.bucket.name;
        event.address = visit.address;
        event.level = decision->blockLevel;
        event.length = decision->blockLength;
        m_deps.onBlock(event);
    }
    co_return Admission{faultOf(*settings, door.bucket, *decision, visit), chargeOf(door.bucket, *decision)};
}

net::Awaitable<core::Expected<Gatekeeper::Standing, StoreDown>> Gatekeeper::look(Visit visit)
{
    const auto settings = this->settings();
    Standing standing;
    for (const DoorSettings* door : {&settings->mint, &settings->session}) {
        LimitSubject subject;
        subject.quota = quotaOf(*door, visit);
        subject.offender = visit.user;
        auto decision = co_await m_deps.store.look(door->bucket, std::move(subject));
        if (!decision) {
            co_return core::Unexpected<StoreDown>(std::move(decision.error()));
        }
        if (decision->verdict == Decision::Verdict::Blocked) {
            standing.blockedFor = seconds(decision->secondsToReset);
        }
        standing.buckets.push_back(chargeOf(door->bucket, *decision));
    }
    co_return standing;
}

net::Awaitable<core::Expected<std::vector<Block>, StoreDown>> Gatekeeper::blocks(std::size_t atMost)
{
    co_return co_await m_deps.store.blocks(atMost);
}

net::Awaitable<core::Expected<bool, StoreDown>> Gatekeeper::lift(std::string user)
{
    co_return co_await m_deps.store.lift(std::move(user));
}

std::string addressKey(std::string_view address)
{
    namespace ip = boost::asio::ip;
    constexpr std::size_t kNetworkBytes = 8;
    boost::system::error_code error;
    const ip::address parsed = ip::make_address(address, error);
    if (error) {
        return std::string(address);
    }
    if (parsed.is_v4()) {
        return parsed.to_string();
    }
    ip::address_v6 wide = parsed.to_v6();
    if (wide.is_v4_mapped()) {
        return ip::make_address_v4(ip::v4_mapped, wide).to_string();
    }
    auto bytes = wide.to_bytes();
    std::fill(bytes.begin() + kNetworkBytes, bytes.end(), std::uint8_t{0});
    return ip::address_v6(bytes).to_string() + "/64";
}

} // namespace vivavoce::broker
