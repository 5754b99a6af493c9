#include "broker/limits/gatekeeper.h"

#include <boost/asio/ip/address.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker {
namespace {

using std::chrono::seconds;

constexpr const char* kAddressPolicy = "address";
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

} // namespace

Gatekeeper::Gatekeeper(Settings settings, Dependencies dependencies)
    : m_settings(std::move(settings)), m_deps(std::move(dependencies)), m_addresses(m_settings.address, m_deps.clock)
{
}

Admission Gatekeeper::admitAddress(const std::string& address)
{
    const auto decision = m_addresses.take(addressKey(address));
    if (decision.isAllowed) {
        return {};
    }
    return {overLimit(kAddressPolicy, decision.secondsToReset), Charge{kAddressPolicy, m_addresses.policy(), decision}};
}

void Gatekeeper::authenticated(const std::string& address)
{
    m_addresses.giveBack(addressKey(address));
}

net::Awaitable<Admission> Gatekeeper::admit(Visit visit)
{
    const DoorSettings& door = doorOf(visit.door);
    LimitSubject subject;
    subject.quota = quotaOf(door, visit);
    subject.offender = visit.user;
    auto decision = co_await m_deps.store.take(door.bucket, std::move(subject));
    if (!decision) {
        m_deps.log.write(LogLevel::Warning, "limits.unavailable",
            {{"bucket", door.bucket.name}, {"reason", decision.error().reason}});
        Admission refused;
        refused.fault = Fault{FaultCode::Unavailable, "limits cannot be checked now", m_settings.outageRetryAfter, {}};
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
    co_return answerOf(door.bucket, *decision, visit);
}

net::Awaitable<core::Expected<std::vector<Block>, StoreDown>> Gatekeeper::blocks(std::size_t atMost)
{
    co_return co_await m_deps.store.blocks(atMost);
}

net::Awaitable<core::Expected<bool, StoreDown>> Gatekeeper::lift(std::string user)
{
    auto lifted = co_await m_deps.store.lift(user);
    const bool wasBlocked = lifted && *lifted;
    if (wasBlocked && m_deps.onBlock) {
        BlockEvent event;
        event.kind = BlockEvent::Kind::Lifted;
        event.user = std::move(user);
        m_deps.onBlock(event);
    }
    co_return lifted;
}

const DoorSettings& Gatekeeper::doorOf(Door door) const
{
    switch (door) {
    case Door::Session:
        return m_settings.session;
    case Door::Refresh:
        return m_settings.refresh;
    case Door::Mint:
        break;
    }
    return m_settings.mint;
}

Admission Gatekeeper::answerOf(const Bucket& bucket, const Decision& decision, const Visit& visit) const
{
    return {faultOf(bucket, decision, visit), chargeOf(bucket, decision)};
}

std::optional<Fault> Gatekeeper::faultOf(const Bucket& bucket, const Decision& decision, const Visit& visit) const
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
    if (visit.door != Door::Refresh && visit.openSessions >= m_settings.maxSessionsPerUser) {
        return Fault{FaultCode::TooManySessions,
            "at most " + std::to_string(m_settings.maxSessionsPerUser) + " at the same time",
            // Never before the bucket has room for the attempt.
            decision.remaining > 0
                ? m_settings.sessionsRetryAfter
                : std::max<core::Milliseconds>(m_settings.sessionsRetryAfter, seconds(decision.secondsToReset)),
            kSessionsPolicy};
    }
    return std::nullopt;
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
