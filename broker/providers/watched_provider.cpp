#include "broker/providers/watched_provider.h"

#include "broker/fault.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::broker {

net::Awaitable<core::Expected<MintedToken, core::Error>> WatchedProvider::mint(const MintOrder& order)
{
    const core::MonotonicTime since = m_deps.clock.now();
    auto minted = co_await m_deps.provider.mint(order);
    const core::MonotonicTime now = m_deps.clock.now();
    std::optional<FaultCode> fault;
    if (!minted) {
        fault = faultOfProvider(minted.error()).code;
    }
    m_deps.metrics.providerAnswered(fault, now - since);
    const std::lock_guard lock(m_mutex);
    // What it does not take from us is no failure of its own; an address where nobody mints is one of ours, and a probe does not see it.
    const bool isElsewhere = !minted && minted.error().code == core::ErrorCode::ChoiceRefused;
    m_isFine = !fault || (fault == FaultCode::ProviderRejected && !isElsewhere);
    m_takesAMint = fault == FaultCode::ProviderQuota || fault == FaultCode::ProviderMalformed || isElsewhere;
    m_askedAt = now;
    ++m_mints;
    co_return minted;
}

std::optional<bool> WatchedProvider::isFine()
{
    const std::lock_guard lock(m_mutex);
    m_wantedAt = m_deps.clock.now();
    return m_isFine;
}

std::optional<std::uint64_t> WatchedProvider::takeTurn()
{
    const core::MonotonicTime now = m_deps.clock.now();
    const std::lock_guard lock(m_mutex);
    const bool isWanted = m_wantedAt && now - *m_wantedAt < m_settings.interest;
    if (!isWanted || m_takesAMint || (m_askedAt && now - *m_askedAt < m_settings.quiet)) {
        return std::nullopt;
    }
    m_askedAt = now;
    return m_mints;
}

net::Awaitable<> WatchedProvider::probeIfDue()
{
    const auto mints = takeTurn();
    if (!mints) {
        co_return;
    }
    const auto answer = co_await m_deps.provider.probe();
    std::optional<bool> before;
    {
        const std::lock_guard lock(m_mutex);
        if (*mints != m_mints) {
            // A mint has shown it meanwhile, and better.
            co_return;
        }
        before = std::exchange(m_isFine, answer.has_value());
    }
    // Once for each change.
    if (!answer && before != false) {
        m_deps.log.write(LogLevel::Warning, "provider.failed",
            {{"provider", name()}, {"code", core::codeText(answer.error().code)}, {"detail", answer.error().detail}});
    } else if (answer && before == false) {
        m_deps.log.write(LogLevel::Info, "provider.up", {{"provider", name()}});
    }
}

} // namespace vivavoce::broker
