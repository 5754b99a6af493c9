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

TokenService::TokenService(Settings settings, Dependencies dependencies) : m_settings(settings), m_deps(dependencies) {}

net::Awaitable<Admission> TokenService::admitMint(const Client& client)
{
    Visit visit;
    visit.door = Door::Mint;
    visit.user = client.caller.key();
    visit.address = client.address;
    visit.openSessions = m_deps.registry.activeOf(visit.user);
    auto admission = co_await m_deps.gatekeeper.admit(std::move(visit));
    co_return admission;
}

net::Awaitable<Admission> TokenService::admitRefresh(const Client& client, const SessionRecord& record)
{
    Visit visit;
    visit.door = Door::Refresh;
    visit.user = record.caller;
    visit.address = client.address;
    visit.sessionId = record.id;
    auto admission = co_await m_deps.gatekeeper.admit(std::move(visit));
    co_return admission;
}

AuditRecord TokenService::recordOf(AuditEvent event, const Client& client, const SessionRecord& session) const
{
    AuditRecord record;
    record.event = event;
    record.outcome = AuditOutcome::Done;
    record.issuer = session.issuer;
    record.subject = session.subject;
    record.peer = client.address;
    record.session = session.id;
    record.request = client.request;
    return record;
}

net::Awaitable<std::optional<Fault>> TokenService::witness(AuditRecord record)
{
    const auto stored = co_await m_deps.audit.append(std::move(record));
    if (stored) {
        co_return std::nullopt;
    }
    co_return faultOfAudit(stored.error());
}

net::Awaitable<TokenOutcome> TokenService::mint(Client client, TokenRequest request)
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
    record.caller = client.caller.key();
    record.issuer = client.caller.issuer;
    record.subject = client.caller.subject;
    record.model = request.model.value_or(m_deps.provider.defaultModel());
    record.voice = std::move(request.voice);
    record.instructions = std::move(request.instructions);
    auto fresh = co_await askProvider(record);
    if (!fresh) {
        co_return TokenOutcome{Unexpected<Fault>(fresh.error()), std::nullopt};
    }
    AuditRecord minted = recordOf(AuditEvent::Mint, client, record);
    minted.token = hashOf(fresh->token);
    if (auto fault = co_await witness(std::move(minted))) {
        co_return TokenOutcome{Unexpected<Fault>(std::move(*fault)), std::nullopt};
    }
    if (auto opened = m_deps.registry.open(record, fresh->token.reveal(), fresh->expiresAt); !opened) {
        co_return TokenOutcome{Unexpected<Fault>(opened.error()), std::nullopt};
    }
    m_deps.log.write(LogLevel::Info, "session.opened", {{"session", record.id}});
    co_return TokenOutcome{answer(record, std::move(fresh->token), fresh->expiresAt), std::nullopt};
}

net::Awaitable<TokenOutcome> TokenService::resume(Client client, TokenRequest request)
{
    if (auto fault = unknownProvider(request)) {
        co_return TokenOutcome{Unexpected<Fault>(std::move(*fault)), std::nullopt};
    }
    const std::string caller = client.caller.key();
    Renewal renewal = m_deps.registry.claimBySession(request.resumeSessionId.value_or(std::string()), caller);
    if (auto* lead = std::get_if<RenewalLead>(&renewal)) {
        lead->record.model = request.model.value_or(lead->record.model);
        lead->record.voice = request.voice ? std::move(request.voice) : std::move(lead->record.voice);
        lead->record.instructions =
            request.instructions ? std::move(request.instructions) : std::move(lead->record.instructions);
        co_return co_await renew(std::move(client), std::move(*lead), AuditEvent::Resume);
    }
    Fault fault = std::get<Fault>(std::move(renewal));
    if (fault.code != FaultCode::SessionNotFound) {
        co_return TokenOutcome{Unexpected<Fault>(std::move(fault)), std::nullopt};
    }
    // Guessing ids is charged as what it tries to be: a mint.
    Admission admission = co_await admitMint(client);
    if (admission.fault) {
        fault = std::move(*admission.fault);
    }
    co_return TokenOutcome{Unexpected<Fault>(std::move(fault)), std::move(admission.charge)};
}

net::Awaitable<TokenOutcome> TokenService::refresh(Client client, const core::Secret& token, Idempotency idempotency)
{
    const auto owner = m_deps.registry.findByToken(token.reveal());
    Renewal renewal = m_deps.registry.claimByToken(token.reveal(), idempotency);
    if (auto* other = std::get_if<RenewalUnderWay>(&renewal)) {
        Admission admission = co_await admitRefresh(client, owner.value_or(SessionRecord()));
        if (admission.fault) {
            co_return TokenOutcome{Unexpected<Fault>(std::move(*admission.fault)), std::move(admission.charge)};
        }
        const auto landing = co_await other->flight->wait(m_settings.followPatience);
        if (!landing || landing->fault) {
            auto fault =
                landing ? *landing->fault : Fault{FaultCode::RefreshInProgress, "wait for its answer", seconds(1)};
            co_return TokenOutcome{Unexpected<Fault>(std::move(fault)), std::move(admission.charge)};
        }
        renewal = m_deps.registry.claimByToken(token.reveal(), idempotency);
        if (auto* again = std::get_if<RenewalRepeat>(&renewal)) {
            co_return TokenOutcome{
                answer(again->record, std::move(again->successor), again->expiresAt), std::move(admission.charge)};
        }
    }
    if (auto* lead = std::get_if<RenewalLead>(&renewal)) {
        co_return co_await renew(std::move(client), std::move(*lead), AuditEvent::Refresh);
    }
    if (auto* again = std::get_if<RenewalRepeat>(&renewal)) {
        co_return co_await repeat(std::move(client), std::move(*again));
    }
    const auto* refused = std::get_if<Fault>(&renewal);
    Fault fault =
        refused != nullptr ? *refused : Fault{FaultCode::RefreshInProgress, "wait for its answer", seconds(1)};
    if (fault.code == FaultCode::TokenReused && owner) {
        m_deps.log.write(LogLevel::Warning, "token.reused", {{"session", owner->id}});
        AuditRecord reused = recordOf(AuditEvent::Reuse, client, *owner);
        reused.outcome = AuditOutcome::Refused;
        reused.why = std::string(faultRow(fault.code).text);
        reused.token = hashOf(token);
        if (auto unseen = co_await witness(std::move(reused))) {
            fault = std::move(*unseen);
        }
    }
    co_return TokenOutcome{Unexpected<Fault>(std::move(fault)), std::nullopt};
}

net::Awaitable<TokenOutcome> TokenService::repeat(Client client, RenewalRepeat repeat)
{
    Admission admission = co_await admitRefresh(client, repeat.record);
    if (admission.fault) {
        co_return TokenOutcome{Unexpected<Fault>(std::move(*admission.fault)), std::move(admission.charge)};
    }
    co_return TokenOutcome{
        answer(repeat.record, std::move(repeat.successor), repeat.expiresAt), std::move(admission.charge)};
}

net::Awaitable<TokenOutcome> TokenService::renew(Client client, RenewalLead lead, AuditEvent event)
{
    LeadGuard guard(m_deps.registry, lead);
    Admission admission = co_await admitRefresh(client, lead.record);
    guard.settle();
    if (admission.fault) {
        m_deps.registry.abandon(lead, *admission.fault);
        co_return TokenOutcome{Unexpected<Fault>(std::move(*admission.fault)), std::move(admission.charge)};
    }
    auto result = co_await renewAdmitted(std::move(client), std::move(lead), event);
    co_return TokenOutcome{std::move(result), std::move(admission.charge)};
}

net::Awaitable<core::Expected<TokenResponse, Fault>> TokenService::renewAdmitted(
    Client client, RenewalLead lead, AuditEvent event)
{
    LeadGuard guard(m_deps.registry, lead);
    auto fresh = co_await askProvider(lead.record);
    std::optional<Fault> fault;
    if (fresh) {
        AuditRecord renewed = recordOf(event, client, lead.record);
        renewed.token = hashOf(fresh->token);
        fault = co_await witness(std::move(renewed));
    } else {
        fault = fresh.error();
    }
    guard.settle();
    if (fault) {
        m_deps.registry.abandon(lead, *fault);
        co_return Unexpected<Fault>(std::move(*fault));
    }
    if (!m_deps.registry.complete(lead, fresh->token.reveal(), fresh->expiresAt)) {
        co_return Unexpected<Fault>(Fault{FaultCode::InvalidToken, "the session has ended", std::nullopt});
    }
    ++m_refreshes;
    m_deps.log.write(LogLevel::Info, "session.renewed", {{"session", lead.record.id}});
    co_return answer(lead.record, std::move(fresh->token), fresh->expiresAt);
}

net::Awaitable<std::optional<Fault>> TokenService::end(Client client, std::string sessionId)
{
    const bool isAdmin = client.caller.may(auth::scope::kAdmin);
    const auto session = m_deps.registry.find(sessionId);
    if (!session || (session->caller != client.caller.key() && !isAdmin)) {
        co_return Fault{FaultCode::SessionNotFound, "there is no such session of yours", std::nullopt};
    }
    AuditRecord ended =
        recordOf(session->caller == client.caller.key() ? AuditEvent::Revoke : AuditEvent::Kill, client, *session);
    ended.issuer = client.caller.issuer;
    ended.subject = client.caller.subject;
    ended.target = session->subject;
    // Ended in any case: what could not be told of must not go on for that.
    static_cast<void>(m_deps.registry.end(sessionId));
    auto fault = co_await witness(std::move(ended));
    co_return fault;
}

net::Awaitable<core::Expected<std::size_t, Fault>> TokenService::endAllOf(Client admin, std::string caller)
{
    const auto ended = m_deps.registry.endAllOf(caller);
    for (const SessionRecord& session : ended) {
        AuditRecord record = recordOf(AuditEvent::Kill, admin, session);
        record.issuer = admin.caller.issuer;
        record.subject = admin.caller.subject;
        record.target = session.subject;
        if (auto fault = co_await witness(std::move(record))) {
            co_return Unexpected<Fault>(std::move(*fault));
        }
    }
    co_return ended.size();
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
