#include "broker/tokens/token_service.h"

#include "broker/tokens/token_hasher.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker {
namespace {

using core::Unexpected;
using core::broker::TokenRequest;
using core::broker::TokenResponse;
using std::chrono::seconds;

constexpr seconds kBeforeExpiry{30};
constexpr seconds kShortLife{60};

/// Ends a renewal whose coroutine was cancelled half-way, so that nobody waits for it.
class LeadGuard {
public:
    LeadGuard(SessionRegistry& registry, const RenewalLead& lead) : m_registry(registry), m_lead(lead) {}
    ~LeadGuard()
    {
        if (!m_isSettled) {
            m_registry.abandon(m_lead, Fault{FaultCode::Unavailable, "the refresh was given up", seconds(1)});
        }
    }
    LeadGuard(const LeadGuard&) = delete;
    LeadGuard& operator=(const LeadGuard&) = delete;
    void settle() { m_isSettled = true; }

private:
    SessionRegistry& m_registry;
    const RenewalLead& m_lead;
    bool m_isSettled = false;
};

} // namespace

Fault rateLimited(const Charge& charge)
{
    return {FaultCode::RateLimited, "the quota \"" + charge.policy + "\" is used up",
        seconds(charge.decision.secondsToReset), charge.policy};
}

TokenService::TokenService(Settings settings, Dependencies dependencies)
    : m_settings(settings),
      m_deps(dependencies),
      m_mintLimit(settings.mint, dependencies.clock),
      m_refreshLimit(settings.refresh, dependencies.clock)
{
}

Charge TokenService::chargeMint(const std::string& caller)
{
    return {"mint", m_mintLimit.policy(), m_mintLimit.take(caller)};
}

Charge TokenService::chargeRefresh(const std::string& sessionId)
{
    return {"refresh", m_refreshLimit.policy(), m_refreshLimit.take(sessionId)};
}

net::Awaitable<TokenOutcome> TokenService::mint(std::string caller, TokenRequest request)
{
    if (auto fault = unknownProvider(request)) {
        co_return TokenOutcome{Unexpected<Fault>(std::move(*fault)), std::nullopt};
    }
    if (!m_deps.registry.hasRoom()) {
        co_return TokenOutcome{
            Unexpected<Fault>(Fault{FaultCode::SessionsFull, "try again later", seconds(5)}), std::nullopt};
    }
    SessionRecord record;
    record.id = makeSessionId(std::chrono::duration_cast<seconds>(m_deps.clock.wallNow().time_since_epoch()).count());
    record.caller = std::move(caller);
    record.model = request.model.value_or(m_deps.provider.defaultModel());
    record.voice = std::move(request.voice);
    record.instructions = std::move(request.instructions);
    auto fresh = co_await askProvider(record);
    if (!fresh) {
        co_return TokenOutcome{Unexpected<Fault>(fresh.error()), std::nullopt};
    }
    if (auto opened = m_deps.registry.open(record, fresh->token.reveal(), fresh->expiresAt); !opened) {
        co_return TokenOutcome{Unexpected<Fault>(opened.error()), std::nullopt};
    }
    m_deps.log.write(LogLevel::Info, "session.opened", {{"session", record.id}});
    co_return TokenOutcome{answer(record, std::move(fresh->token), fresh->expiresAt), std::nullopt};
}

net::Awaitable<TokenOutcome> TokenService::resume(std::string caller, TokenRequest request)
{
    if (auto fault = unknownProvider(request)) {
        co_return TokenOutcome{Unexpected<Fault>(std::move(*fault)), std::nullopt};
    }
    Renewal renewal = m_deps.registry.claimBySession(request.resumeSessionId.value_or(std::string()), caller);
    if (auto* lead = std::get_if<RenewalLead>(&renewal)) {
        lead->record.model = request.model.value_or(lead->record.model);
        lead->record.voice = request.voice ? std::move(request.voice) : std::move(lead->record.voice);
        lead->record.instructions =
            request.instructions ? std::move(request.instructions) : std::move(lead->record.instructions);
        co_return co_await renew(std::move(*lead));
    }
    Fault fault = std::get<Fault>(std::move(renewal));
    if (fault.code != FaultCode::SessionNotFound) {
        co_return TokenOutcome{Unexpected<Fault>(std::move(fault)), std::nullopt};
    }
    // Guessing ids is charged as what it tries to be: a mint.
    Charge charge = chargeMint(caller);
    if (!charge.decision.isAllowed) {
        fault = rateLimited(charge);
    }
    co_return TokenOutcome{Unexpected<Fault>(std::move(fault)), std::move(charge)};
}

net::Awaitable<TokenOutcome> TokenService::refresh(const core::Secret& token, Idempotency idempotency)
{
    Renewal renewal = m_deps.registry.claimByToken(token.reveal(), idempotency);
    if (auto* other = std::get_if<RenewalUnderWay>(&renewal)) {
        Charge charge = chargeRefresh(other->sessionId);
        if (!charge.decision.isAllowed) {
            co_return TokenOutcome{Unexpected<Fault>(rateLimited(charge)), std::move(charge)};
        }
        const auto landing = co_await other->flight->wait(m_settings.followPatience);
        if (!landing || landing->fault) {
            auto fault =
                landing ? *landing->fault : Fault{FaultCode::RefreshInProgress, "wait for its answer", seconds(1)};
            co_return TokenOutcome{Unexpected<Fault>(std::move(fault)), std::move(charge)};
        }
        renewal = m_deps.registry.claimByToken(token.reveal(), idempotency);
        if (auto* repeat = std::get_if<RenewalRepeat>(&renewal)) {
            co_return TokenOutcome{
                answer(repeat->record, std::move(repeat->successor), repeat->expiresAt), std::move(charge)};
        }
    }
    if (auto* lead = std::get_if<RenewalLead>(&renewal)) {
        co_return co_await renew(std::move(*lead));
    }
    if (auto* repeat = std::get_if<RenewalRepeat>(&renewal)) {
        Charge charge = chargeRefresh(repeat->record.id);
        if (!charge.decision.isAllowed) {
            co_return TokenOutcome{Unexpected<Fault>(rateLimited(charge)), std::move(charge)};
        }
        co_return TokenOutcome{
            answer(repeat->record, std::move(repeat->successor), repeat->expiresAt), std::move(charge)};
    }
    const auto* refused = std::get_if<Fault>(&renewal);
    Fault fault =
        refused != nullptr ? *refused : Fault{FaultCode::RefreshInProgress, "wait for its answer", seconds(1)};
    if (fault.code == FaultCode::TokenReused) {
        m_deps.log.write(LogLevel::Warning, "token.reused", {});
    }
    co_return TokenOutcome{Unexpected<Fault>(std::move(fault)), std::nullopt};
}

net::Awaitable<TokenOutcome> TokenService::renew(RenewalLead lead)
{
    Charge charge = chargeRefresh(lead.record.id);
    if (!charge.decision.isAllowed) {
        Fault fault = rateLimited(charge);
        m_deps.registry.abandon(lead, fault);
        co_return TokenOutcome{Unexpected<Fault>(std::move(fault)), std::move(charge)};
    }
    auto result = co_await renewCharged(std::move(lead));
    co_return TokenOutcome{std::move(result), std::move(charge)};
}

net::Awaitable<core::Expected<TokenResponse, Fault>> TokenService::renewCharged(RenewalLead lead)
{
    LeadGuard guard(m_deps.registry, lead);
    auto fresh = co_await askProvider(lead.record);
    guard.settle();
    if (!fresh) {
        m_deps.registry.abandon(lead, fresh.error());
        co_return Unexpected<Fault>(fresh.error());
    }
    if (!m_deps.registry.complete(lead, fresh->token.reveal(), fresh->expiresAt)) {
        co_return Unexpected<Fault>(Fault{FaultCode::InvalidToken, "the session has ended", std::nullopt});
    }
    ++m_refreshes;
    m_deps.log.write(LogLevel::Info, "session.renewed", {{"session", lead.record.id}});
    co_return answer(lead.record, std::move(fresh->token), fresh->expiresAt);
}

net::Awaitable<core::Expected<TokenService::Fresh, Fault>> TokenService::askProvider(SessionRecord record)
{
    // Counted from before the question, so that a slow answer makes the token's life here shorter, never longer.
    const core::MonotonicTime asked = m_deps.clock.now();
    const core::WallTime askedWall = m_deps.clock.wallNow();
    const MintOrder order{record.model, record.voice, record.instructions, m_settings.life};
    auto minted = co_await m_deps.provider.mint(order);
    if (!minted) {
        const Fault fault = faultOfProvider(minted.error());
        m_providerState = fault.code == FaultCode::ProviderRejected ? ProviderState::Ok : ProviderState::Failing;
        m_deps.log.write(LogLevel::Warning, "provider.failed",
            {{"provider", m_deps.provider.name()}, {"code", core::codeText(minted.error().code)},
                {"detail", minted.error().detail}});
        co_return Unexpected<Fault>(fault);
    }
    m_providerState = ProviderState::Ok;
    core::MonotonicTime::duration life = m_settings.life;
    const auto told = minted->expiresAt - askedWall;
    if (told <= core::WallTime::duration{0}) {
        m_deps.log.write(LogLevel::Warning, "provider.clock_differs", {{"provider", m_deps.provider.name()}});
    } else {
        life = std::min<core::MonotonicTime::duration>(life, told);
    }
    co_return Fresh{std::move(minted->value), asked + life};
}

TokenResponse TokenService::answer(const SessionRecord& record, core::Secret token, core::MonotonicTime expiresAt) const
{
    const core::WallTime now = m_deps.clock.wallNow();
    const auto left = std::max(std::chrono::floor<seconds>(expiresAt - m_deps.clock.now()), seconds(1));
    TokenResponse response;
    response.token = std::move(token);
    response.sessionId = record.id;
    response.expiresIn = left.count();
    response.expiresAt = std::chrono::floor<seconds>(now) + left;
    // The rule goes by the life the token was made with; of one handed out again, a part has passed.
    const seconds margin =
        m_settings.life < kShortLife ? std::chrono::ceil<seconds>(m_settings.life / 5.0) : kBeforeExpiry;
    response.refreshAfter = response.expiresAt - std::min(margin, left);
    response.provider = m_deps.provider.name();
    response.model = record.model;
    response.connect = m_deps.provider.connect(record.model);
    return response;
}

std::optional<Fault> TokenService::unknownProvider(const TokenRequest& request) const
{
    if (!request.provider || *request.provider == m_deps.provider.name()) {
        return std::nullopt;
    }
    return Fault{FaultCode::UnknownProvider, "this broker has \"" + m_deps.provider.name() + "\"", std::nullopt};
}

} // namespace vivavoce::broker
