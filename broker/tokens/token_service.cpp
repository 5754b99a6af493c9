#include "broker/tokens/token_service.h"

#include "broker/tokens/session_account.h"
#include "broker/tokens/session_audit.h"
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

constexpr const char* kStreamPath = "/api/voice/stream";
constexpr seconds kBeforeExpiry{30};
constexpr seconds kShortLife{60};

TokenOutcome refused(Fault fault, std::optional<Charge> charge, SessionRecord session)
{
    return {Unexpected<Fault>(std::move(fault)), std::move(charge), std::move(session)};
}

Applicant applicantOf(const auth::Caller& caller)
{
    return {caller.key(), caller.issuer, caller.subject, caller.projects};
}

} // namespace

/// A claim from the moment in which it is had, whoever has it: where that coroutine is cancelled half-way the renewal ends, so that nobody
/// waits for it.
class TokenService::HeldLead {
public:
    HeldLead(SessionRegistry& registry, RenewalLead lead) : m_registry(&registry), m_lead(std::move(lead)) {}
    HeldLead(HeldLead&& other) noexcept
        : m_registry(std::exchange(other.m_registry, nullptr)), m_lead(std::move(other.m_lead))
    {
    }
    ~HeldLead()
    {
        if (m_registry != nullptr) {
            m_registry->abandonSoon(m_lead, Fault{FaultCode::Unavailable, "the refresh was given up", seconds(1)});
        }
    }
    HeldLead(const HeldLead&) = delete;
    HeldLead& operator=(const HeldLead&) = delete;
    HeldLead& operator=(HeldLead&&) = delete;
    RenewalLead& operator*() { return m_lead; }
    RenewalLead* operator->() { return &m_lead; }
    void settle() { m_registry = nullptr; }

private:
    /// Nobody: it has ended, or somebody else has it.
    SessionRegistry* m_registry;
    RenewalLead m_lead;
};

TokenService::TokenService(Settings settings, Dependencies dependencies)
    : m_settings(std::move(settings)), m_deps(dependencies), m_seal(m_deps.hasher)
{
}

net::Awaitable<Admission> TokenService::admit(Client client, SessionTransport transport)
{
    Visit visit;
    visit.door = transport == SessionTransport::Relay ? Door::Session : Door::Mint;
    visit.user = client.caller.key();
    visit.address = client.address;
    auto open = co_await m_deps.registry.countOf(visit.user);
    if (!open) {
        co_return Admission{std::move(open.error()), std::nullopt};
    }
    visit.openSessions = *open;
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

net::Awaitable<TokenOutcome> TokenService::mint(Client client, TokenRequest request, SessionTransport transport)
{
    SessionRecord record;
    record.startedAt = m_deps.clock.wallNow();
    record.id = makeSessionId(std::chrono::duration_cast<seconds>(record.startedAt.time_since_epoch()).count());
    record.project = request.projectId.value_or(std::string());
    record.clientInstance = request.clientInstance.value_or(std::string());
    record.caller = client.caller.key();
    record.issuer = client.caller.issuer;
    record.subject = client.caller.subject;
    Applicant applicant = applicantOf(client.caller);
    const auto policy = co_await m_deps.judge.policyFor(std::move(applicant), record.project);
    if (!policy) {
        co_return TokenOutcome{Unexpected<Fault>(policy.error()), std::nullopt};
    }
    record.transport = policy->needsRelay() ? SessionTransport::Relay : transport;
    if (auto fault = settle(*policy, std::move(request), record)) {
        co_return TokenOutcome{Unexpected<Fault>(std::move(*fault)), std::nullopt};
    }
    record.keepsTranscript = record.transport == SessionTransport::Relay && policy->areTranscriptsKept();
    usage::Account account = accountOf(record, m_deps.providers.ofModel(record.model).name(), policy->budgets);
    if (auto fault = m_deps.rates.hold(account, record.startedAt)) {
        co_return TokenOutcome{Unexpected<Fault>(std::move(*fault)), std::nullopt};
    }
    if (!m_deps.registry.hasRoom()) {
        co_return TokenOutcome{
            Unexpected<Fault>(Fault{FaultCode::SessionsFull, "try again later", seconds(5)}), std::nullopt};
    }
    auto fresh = co_await nextToken(record);
    if (!fresh) {
        co_return TokenOutcome{Unexpected<Fault>(fresh.error()), std::nullopt};
    }
    const TokenHash token = hashOf(fresh->token);
    AuditRecord minted = recordOf(AuditEvent::Mint, client, record);
    minted.token = token;
    if (auto fault = co_await witness(m_deps.audit, minted)) {
        co_return TokenOutcome{Unexpected<Fault>(std::move(*fault)), std::nullopt};
    }
    SessionRegistry::Together together = m_deps.ledger.opening(std::move(account));
    if (auto fault =
            co_await m_deps.registry.open(record, token, fresh->expiresAt, caps(*policy), std::move(together))) {
        // Not waited for: no token leaves.
        tellOfFailure(m_deps.audit, std::move(minted), *fault);
        co_return TokenOutcome{Unexpected<Fault>(std::move(*fault)), std::nullopt};
    }
    m_deps.metrics.tokenMinted(record.transport);
    m_deps.log.write(LogLevel::Info, "session.opened", {{"session", record.id}});
    co_return TokenOutcome{answer(record, std::move(fresh->token), fresh->expiresAt), std::nullopt};
}

net::Awaitable<TokenOutcome> TokenService::resume(Client client, TokenRequest request, SessionTransport transport)
{
    const std::string caller = client.caller.key();
    const std::string id = request.resumeSessionId.value_or(std::string());
    auto policy = co_await policyOfSession(client, id);
    if (!policy) {
        co_return TokenOutcome{Unexpected<Fault>(std::move(policy.error())), std::nullopt};
    }
    Renewal renewal = co_await m_deps.registry.claimBySession(
        id, caller, request.clientInstance.value_or(std::string()), caps(*policy));
    if (auto* claimed = std::get_if<RenewalLead>(&renewal)) {
        HeldLead lead(m_deps.registry, std::move(*claimed));
        std::optional<Fault> fault;
        // Where a direct one is asked for, the policy may have made it a relayed one.
        const bool isOfThatKind = lead->record.transport == transport || transport == SessionTransport::Direct;
        if (!isOfThatKind || request.projectId.value_or(lead->record.project) != lead->record.project) {
            fault = Fault{FaultCode::SessionNotFound, "it is of another kind or project", std::nullopt};
        } else {
            fault = settle(*policy, std::move(request), lead->record);
            // Never the other way: of what was said before, nothing was kept, and the client goes by that.
            lead->record.keepsTranscript = lead->record.keepsTranscript && policy->areTranscriptsKept();
        }
        if (!fault) {
            auto outcome = co_await renewResumed(std::move(client), std::move(lead));
            co_return outcome;
        }
        co_await m_deps.registry.abandon(*lead, *fault);
        lead.settle();
        renewal = std::move(*fault);
    }
    Fault fault = std::get<Fault>(std::move(renewal));
    if (fault.code != FaultCode::SessionNotFound) {
        co_return TokenOutcome{Unexpected<Fault>(std::move(fault)), std::nullopt};
    }
    // Guessing ids is charged as what it tries to be: a mint.
    Admission admission = co_await admit(client, transport);
    if (admission.fault) {
        fault = std::move(*admission.fault);
    }
    co_return TokenOutcome{Unexpected<Fault>(std::move(fault)), std::move(admission.charge)};
}

net::Awaitable<TokenOutcome> TokenService::refresh(
    Client client, core::Secret token, Idempotency idempotency, std::shared_ptr<void> look)
{
    Renewal renewal = co_await m_deps.registry.claimByToken(m_deps.hasher.hashes(token.reveal()), idempotency);
    look.reset();
    if (auto* other = std::get_if<RenewalUnderWay>(&renewal)) {
        Admission admission = co_await admitRefresh(client, other->record);
        if (admission.fault) {
            co_return refused(std::move(*admission.fault), std::move(admission.charge), std::move(other->record));
        }
        const auto landing = co_await other->flight->wait(m_settings.followPatience);
        if (!landing || landing->fault) {
            auto fault =
                landing ? *landing->fault : Fault{FaultCode::RefreshInProgress, "wait for its answer", seconds(1)};
            co_return refused(std::move(fault), std::move(admission.charge), std::move(other->record));
        }
        renewal = co_await m_deps.registry.claimByToken(m_deps.hasher.hashes(token.reveal()), idempotency);
        if (const auto* again = std::get_if<RenewalRepeat>(&renewal)) {
            co_return TokenOutcome{answerAgain(*again, token), std::move(admission.charge)};
        }
    }
    if (auto* claimed = std::get_if<RenewalLead>(&renewal)) {
        HeldLead lead(m_deps.registry, std::move(*claimed));
        auto outcome = co_await refreshClaimed(std::move(client), std::move(lead), std::move(token));
        co_return outcome;
    }
    if (const auto* again = std::get_if<RenewalRepeat>(&renewal)) {
        Admission admission = co_await admitRefresh(client, again->record);
        if (admission.fault) {
            co_return refused(std::move(*admission.fault), std::move(admission.charge), again->record);
        }
        co_return TokenOutcome{answerAgain(*again, token), std::move(admission.charge)};
    }
    if (const auto* reuse = std::get_if<RenewalReuse>(&renewal)) {
        auto fault = co_await tellOfReuse(std::move(client), reuse->record, hashOf(token));
        co_return refused(std::move(fault), std::nullopt, reuse->record);
    }
    if (auto* known = std::get_if<RenewalRefused>(&renewal)) {
        co_return refused(std::move(known->fault), std::nullopt, std::move(known->record));
    }
    const auto* told = std::get_if<Fault>(&renewal);
    Fault fault = told != nullptr ? *told : Fault{FaultCode::RefreshInProgress, "wait for its answer", seconds(1)};
    co_return TokenOutcome{Unexpected<Fault>(std::move(fault)), std::nullopt};
}

/// What was allowed at the session's beginning may not be any more.
net::Awaitable<TokenOutcome> TokenService::refreshClaimed(Client client, HeldLead lead, core::Secret token)
{
    // Before anybody is asked on its account: a refused one costs as much as a granted one.
    Admission admission = co_await admitRefresh(client, lead->record);
    if (admission.fault) {
        co_await m_deps.registry.abandon(*lead, *admission.fault);
        lead.settle();
        co_return refused(std::move(*admission.fault), std::move(admission.charge), std::move(lead->record));
    }
    Applicant applicant{lead->record.caller, lead->record.issuer, lead->record.subject, std::nullopt};
    const auto policy = co_await m_deps.judge.policyFor(std::move(applicant), lead->record.project);
    auto fault = policy ? settle(*policy, {}, lead->record) : std::optional(policy.error());
    if (fault) {
        co_await m_deps.registry.abandon(*lead, *fault);
        lead.settle();
        co_return refused(std::move(*fault), std::move(admission.charge), std::move(lead->record));
    }
    lead->record.keepsTranscript = lead->record.keepsTranscript && policy->areTranscriptsKept();
    SessionRecord record = lead->record;
    auto result = co_await renewAdmitted(std::move(client), std::move(lead), AuditEvent::Refresh, std::move(token));
    co_return TokenOutcome{std::move(result), std::move(admission.charge), std::move(record)};
}

net::Awaitable<Fault> TokenService::tellOfReuse(Client client, SessionRecord session, TokenHash token)
{
    Fault fault{FaultCode::TokenReused, "ask for a token of a new session", std::nullopt};
    m_deps.log.write(LogLevel::Warning, "token.reused", {{"session", session.id}});
    AuditRecord reused = recordOf(AuditEvent::Reuse, client, session);
    reused.outcome = AuditOutcome::Refused;
    reused.why = std::string(faultRow(fault.code).text);
    reused.token = token;
    if (auto unseen = co_await witness(m_deps.audit, reused)) {
        // The session stays, renewed by nobody meanwhile, so that whoever comes next has it told.
        co_return std::move(*unseen);
    }
    m_deps.ledger.endsBecause(session.id, "token_reused");
    const auto ended = co_await m_deps.registry.end(std::move(session.id));
    if (!ended) {
        fault = ended.error();
        tellOfFailure(m_deps.audit, std::move(reused), fault);
    }
    co_return fault;
}

core::Expected<TokenResponse, Fault> TokenService::answerAgain(
    const RenewalRepeat& repeat, const core::Secret& spent) const
{
    auto successor = m_seal.open(spent.reveal(), repeat.sealed);
    if (!successor) {
        // Sealed with another secret than ours: brokers that do not belong together share a store.
        return Unexpected<Fault>(Fault{FaultCode::Unavailable, "ask for a token with resumeSessionId", seconds(1)});
    }
    return answer(repeat.record, std::move(*successor), repeat.expiresAt);
}

net::Awaitable<TokenOutcome> TokenService::renewResumed(Client client, HeldLead lead)
{
    Admission admission = co_await admitRefresh(client, lead->record);
    if (admission.fault) {
        co_await m_deps.registry.abandon(*lead, *admission.fault);
        lead.settle();
        co_return TokenOutcome{Unexpected<Fault>(std::move(*admission.fault)), std::move(admission.charge)};
    }
    auto result = co_await renewAdmitted(std::move(client), std::move(lead), AuditEvent::Resume, std::nullopt);
    co_return TokenOutcome{std::move(result), std::move(admission.charge)};
}

net::Awaitable<core::Expected<TokenResponse, Fault>> TokenService::renewAdmitted(
    Client client, HeldLead lead, AuditEvent event, std::optional<core::Secret> spent)
{
    auto fresh = co_await nextToken(lead->record);
    std::optional<Fault> fault;
    AuditRecord renewed = recordOf(event, client, lead->record);
    if (fresh) {
        renewed.token = hashOf(fresh->token);
        fault = co_await witness(m_deps.audit, renewed);
    } else {
        fault = fresh.error();
    }
    if (fault) {
        co_await m_deps.registry.abandon(*lead, *fault);
        lead.settle();
        co_return Unexpected<Fault>(std::move(*fault));
    }
    Successor successor{hashOf(fresh->token), fresh->expiresAt, {}};
    if (spent) {
        successor.sealed = m_seal.seal(spent->reveal(), fresh->token);
    }
    auto isIn = co_await m_deps.registry.complete(*lead, std::move(successor));
    lead.settle();
    if (!isIn || !*isIn) {
        Fault refused =
            isIn ? Fault{FaultCode::InvalidToken, "the session has ended", std::nullopt} : std::move(isIn.error());
        // Not waited for: no token leaves.
        tellOfFailure(m_deps.audit, std::move(renewed), refused);
        co_return Unexpected<Fault>(std::move(refused));
    }
    m_deps.metrics.tokenRenewed();
    m_deps.log.write(LogLevel::Info, "session.renewed", {{"session", lead->record.id}});
    co_return answer(lead->record, std::move(fresh->token), fresh->expiresAt);
}

SessionRegistry::Answer<std::vector<LiveSession>> TokenService::sessionsOf(Client client)
{
    auto live = co_await m_deps.registry.liveOf(client.caller.key());
    co_return std::move(live);
}

net::Awaitable<core::Expected<TokenService::Fresh, Fault>> TokenService::nextToken(SessionRecord record)
{
    if (record.transport == SessionTransport::Relay) {
        const core::WallTime now = m_deps.clock.wallNow();
        // A token names whole seconds: what the registry believes is not to be more.
        const auto expiresAt =
            std::chrono::floor<seconds>(std::min(now + m_settings.relayLife, record.endsAt.value_or(now)));
        co_return Fresh{m_deps.sessionTokens.mint(record, now, expiresAt), expiresAt};
    }
    if (auto fault = co_await faultOfFailingAudit()) {
        co_return Unexpected<Fault>(std::move(*fault));
    }
    auto fresh = co_await askProvider(std::move(record));
    co_return std::move(fresh);
}

net::Awaitable<std::optional<Fault>> TokenService::faultOfFailingAudit()
{
    if (m_deps.audit.isWorking()) {
        co_return std::nullopt;
    }
    if (m_isTryingAudit.exchange(true)) {
        co_return faultOfAudit(AuditFailure::Unwritable);
    }
    const std::shared_ptr<void> over(nullptr, [this](void*) { m_isTryingAudit = false; });
    AuditRecord probe;
    probe.event = AuditEvent::Recovery;
    probe.outcome = AuditOutcome::Done;
    auto fault = co_await witness(m_deps.audit, std::move(probe));
    co_return fault;
}

net::Awaitable<core::Expected<TokenService::Fresh, Fault>> TokenService::askProvider(SessionRecord record)
{
    // Counted from before the question, so that a slow answer makes the token's life here shorter, never longer.
    const core::WallTime asked = m_deps.clock.wallNow();
    const core::WallTime end = record.endsAt.value_or(core::WallTime::max());
    const auto left = std::chrono::floor<seconds>(std::min(end, asked + m_settings.longest) - asked);
    const MintOrder order{record.model, record.voice, record.instructions, m_settings.life, left};
    Provider& provider = m_deps.providers.ofModel(record.model);
    auto minted = co_await provider.mint(order);
    if (!minted) {
        const Fault fault = faultOfProvider(minted.error());
        m_deps.log.write(LogLevel::Warning, "provider.failed",
            {{"provider", provider.name()}, {"code", core::codeText(minted.error().code)},
                {"detail", minted.error().detail}});
        co_return Unexpected<Fault>(fault);
    }
    core::WallTime::duration life = m_settings.life;
    const auto told = minted->expiresAt - asked;
    if (told <= core::WallTime::duration{0}) {
        m_deps.log.write(LogLevel::Warning, "provider.clock_differs",
            {{"provider", provider.name()}, {"overForSeconds", std::chrono::ceil<seconds>(-told).count()}});
    } else {
        life = std::min<core::WallTime::duration>(life, told);
    }
    // The provider cannot be asked for less than ten seconds; what is left of the session may be.
    co_return Fresh{std::move(minted->value), std::min(asked + life, end)};
}

TokenResponse TokenService::answer(const SessionRecord& record, core::Secret token, core::WallTime expiresAt) const
{
    const core::WallTime now = m_deps.clock.wallNow();
    const auto left = std::max(std::chrono::floor<seconds>(expiresAt - now), seconds(1));
    TokenResponse response;
    response.token = std::move(token);
    response.sessionId = record.id;
    response.expiresIn = left.count();
    response.expiresAt = std::chrono::floor<seconds>(now) + left;
    const bool isRelayed = record.transport == SessionTransport::Relay;
    const seconds life = isRelayed ? m_settings.relayLife : m_settings.life;
    // The rule goes by the life the token was made with; of one handed out again, a part has passed.
    const seconds margin = life < kShortLife ? std::chrono::ceil<seconds>(life / 5.0) : kBeforeExpiry;
    response.refreshAfter = response.expiresAt - std::min(margin, left);
    const Provider& provider = m_deps.providers.ofModel(record.model);
    response.provider = provider.name();
    response.model = record.model;
    response.transport = transportText(record.transport);
    response.connect = provider.connect(record.model);
    response.areTranscriptsKept = record.keepsTranscript;
    if (isRelayed) {
        // http becomes ws, and https wss.
        response.connect.url = "ws" + m_settings.baseUrl().substr(4) + kStreamPath;
        response.connect.auth = "bearer";
        if (record.endsAt) {
            response.limits.maxSessionSeconds =
                std::max(std::chrono::floor<seconds>(*record.endsAt - now), seconds(0)).count();
        }
    }
    return response;
}

/// Of a session that is not the caller's, whatever: claiming it fails.
net::Awaitable<core::Expected<Policy, Fault>> TokenService::policyOfSession(Client client, std::string sessionId)
{
    const auto found = co_await m_deps.registry.find(std::move(sessionId));
    if (!found) {
        co_return Unexpected<Fault>(found.error());
    }
    const bool isTheirs = *found && (*found)->caller == client.caller.key();
    if (!isTheirs) {
        co_return Policy{};
    }
    Applicant applicant = applicantOf(client.caller);
    auto policy = co_await m_deps.judge.policyFor(std::move(applicant), (*found)->project);
    co_return policy;
}

SessionCaps TokenService::caps(const Policy& policy) const
{
    SessionCaps caps;
    caps.ofCaller =
        std::min(m_settings.maxSessionsPerUser, policy.sessionsOfUser.value_or(m_settings.maxSessionsPerUser));
    caps.ofProject = policy.sessionsOfProject;
    return caps;
}

std::optional<Fault> TokenService::settle(const Policy& policy, TokenRequest asked, SessionRecord& record) const
{
    if (policy.needsRelay() && record.transport == SessionTransport::Direct) {
        return Fault{FaultCode::NotAllowed, "sessions go through the relay here; ask for a new one", std::nullopt};
    }
    if (!asked.model && !record.model.empty()) {
        asked.model = record.model;
    }
    if (!asked.voice) {
        asked.voice = record.voice;
    }
    const auto provider = m_deps.providers.choose(policy, asked);
    if (!provider) {
        return provider.error();
    }
    if (auto fault = apply(policy, (*provider)->name(), asked)) {
        return fault;
    }
    const bool isNew = record.model.empty();
    record.model = asked.model.value_or((*provider)->defaultModel());
    record.voice = std::move(asked.voice);
    if (asked.instructions) {
        record.instructions = std::move(asked.instructions);
    }
    if (&m_deps.providers.ofModel(record.model) != *provider) {
        // Whom the policy was asked about has to be who serves.
        return Fault{FaultCode::ProviderRejected, "that model is another provider's", std::nullopt};
    }
    if (!(*provider)->pins()) {
        if (record.instructions) {
            return Fault{FaultCode::ProviderRejected,
                "instructions cannot be fixed with that provider: no token of its holds anybody to them", std::nullopt};
        }
        if (record.transport == SessionTransport::Direct && !isNew) {
            return Fault{FaultCode::NotAllowed, "sessions go through the relay here; ask for a new one", std::nullopt};
        }
        record.transport = SessionTransport::Relay;
    }
    if (isNew) {
        const bool isRelayed = record.transport == SessionTransport::Relay;
        record.endsAt = record.startedAt + (isRelayed ? m_settings.relayLongest : m_settings.longest);
    }
    if (policy.longestSession) {
        const core::WallTime end = record.startedAt + *policy.longestSession;
        record.endsAt = std::min(record.endsAt.value_or(end), end);
    }
    if (record.endsAt && m_deps.clock.wallNow() >= *record.endsAt) {
        return Fault{
            FaultCode::TokenExpired, "its session has lasted as long as it may; ask for a new one", std::nullopt};
    }
    return std::nullopt;
}

} // namespace vivavoce::broker
