#include "broker/relay/relay_door.h"

#include <utility>

namespace vivavoce::broker::relay {
namespace {

using core::Unexpected;

Locks locksOf(const SessionRecord& session, const Policy& policy)
{
    Locks locks;
    locks.model = session.model;
    locks.voices = session.voice ? Allowed(std::vector<std::string>{*session.voice}) : policy.voices;
    locks.tools = policy.tools;
    locks.areInstructionsFixed = policy.instructions.has_value();
    return locks;
}

} // namespace

core::Expected<SessionClaims, Fault> RelayDoor::read(const core::Secret& token) const
{
    auto claims = m_deps.tokens.verify(token.reveal(), m_deps.clock.wallNow());
    if (!claims) {
        const bool isLate = claims.error() == auth::JwtFault::Expired;
        return Unexpected<Fault>(Fault{isLate ? FaultCode::TokenExpired : FaultCode::InvalidToken,
            isLate ? "ask for a token with resumeSessionId" : "not a token of a session here", std::nullopt});
    }
    return std::move(*claims);
}

net::Awaitable<core::Expected<RelayDoor::Permit, Fault>> RelayDoor::enter(core::Secret token, SessionClaims claims)
{
    auto live = co_await m_deps.registry.liveByToken(m_deps.hasher.hashes(token.reveal()));
    if (!live) {
        co_return Unexpected<Fault>(std::move(live.error()));
    }
    if (!*live || (*live)->record.id != claims.sessionId || (*live)->record.transport != SessionTransport::Relay) {
        co_return Unexpected<Fault>(
            Fault{FaultCode::InvalidToken, "its session has ended, or has a newer token", std::nullopt});
    }
    const SessionRecord& session = (*live)->record;
    Applicant applicant{session.caller, session.issuer, session.subject, std::nullopt};
    const auto policy = co_await m_deps.judge.policyFor(std::move(applicant), session.project);
    if (!policy) {
        co_return Unexpected<Fault>(policy.error());
    }
    Locks locks = locksOf(session, *policy);
    co_return Permit{std::move(**live), std::move(locks), *policy};
}

} // namespace vivavoce::broker::relay
