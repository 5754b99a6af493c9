#include "core/session/internal/stepper.h"

#include <algorithm>

namespace vivavoce::core::internal {

using namespace session_effect;

void Stepper::fetchToken()
{
    setPhase(Phase::FetchingToken);
    startTimer(SessionTimer::Token, m_state.options->deadlines.token);
    TokenQuery query;
    query.resumeSessionId = m_state.sessionId;
    m_state.isExchanging = m_state.token != nullptr && !m_state.token->isExpired(m_now);
    if (m_state.isExchanging) {
        // Good for one connection only, and replaced before its time.
        query.previous = m_state.token;
    }
    put(FetchToken{std::move(query)});
}

void Stepper::renewToken()
{
    m_state.isRenewing = true;
    // A broker that obeys takes its predecessor away, whether or not we hear of it.
    m_state.isTokenDoubtful = true;
    m_state.isConnectionsTokenDoubtful = true;
    TokenQuery query;
    query.previous = m_state.token;
    put(FetchToken{std::move(query)});
}

void Stepper::on(const session_event::TokenArrived& arrived)
{
    const bool isAwaited = m_state.phase == Phase::FetchingToken;
    if (!isAwaited && !m_state.isRenewing) {
        return;
    }
    const bool isSuccessor = !m_state.sessionId.empty() && m_state.sessionId == arrived.token->sessionId;
    m_state.isRenewing = false;
    m_state.isTokenDoubtful = false;
    m_state.failedRenewals = 0;
    m_state.token = arrived.token;
    m_state.sessionId = arrived.token->sessionId;
    const auto lifetime = std::chrono::duration_cast<Milliseconds>(arrived.token->expiresAt - m_now);
    const auto untilRenewal =
        std::max(std::chrono::duration_cast<Milliseconds>(arrived.token->refreshAfter - m_now), Milliseconds{0});
    // One that serves until its end is not renewed: whoever wanted that has turned it off.
    const bool isRenewed = untilRenewal < lifetime;
    tell(session_notice::TokenChanged{isSuccessor ? TokenNews::Refreshed : TokenNews::Acquired, m_state.sessionId,
        lifetime, isRenewed ? untilRenewal : Milliseconds{0}, arrived.token->provider, arrived.token->model,
        arrived.token->isRelayed, arrived.token->areTranscriptsKept, arrived.token->profile});
    if (isRenewed) {
        startTimer(SessionTimer::Renewal, untilRenewal, untilRenewal / 10);
    } else {
        stopTimer(SessionTimer::Renewal);
    }
    startTimer(SessionTimer::Expiry, std::max(lifetime, Milliseconds{0}));
    if (isAwaited) {
        stopTimer(SessionTimer::Token);
        connect();
    }
}

void Stepper::on(const session_event::TokenFailed& failed)
{
    const bool isRefused = failed.error.code == ErrorCode::NotAuthorised;
    if (m_state.phase == Phase::FetchingToken) {
        stopTimer(SessionTimer::Token);
        Error error = failed.error;
        if (isRefused && m_state.isExchanging && m_state.token != nullptr) {
            // The answer to an earlier try was lost, or the broker has ended the session. That says nothing of who is signed in.
            tokenGone(TokenNews::Revoked);
            error.code = ErrorCode::TokenExpired;
        } else {
            tell(session_notice::TokenChanged{
                isRefused && !m_state.sessionId.empty() ? TokenNews::Revoked : TokenNews::Failed, m_state.sessionId,
                {}});
        }
        // A session that the broker no longer knows cannot be continued, but the conversation can: in a new one.
        if (!isRetryable(error.code) || error.code == ErrorCode::TokenExpired) {
            m_state.sessionId.clear();
        }
        if (error.code == ErrorCode::ProviderRefused) {
            // The broker's key, and no token of ours that might have been too old.
            letGo();
            comeBackOrEnd(std::move(error), false);
            return;
        }
        lost(std::move(error));
    } else if (m_state.isRenewing) {
        m_state.isRenewing = false;
        if (isRefused && m_state.token != nullptr) {
            tokenGone(TokenNews::Revoked);
        } else {
            tell(session_notice::TokenChanged{TokenNews::Failed, m_state.sessionId, {}});
        }
        tell(session_notice::Problem{failed.error});
        // The open conversation outlives its token; the next attempt is for a reconnect that may need one.
        const bool isRenewable = isRetryable(failed.error.code) && failed.error.code != ErrorCode::TokenExpired;
        if (isRenewable && m_state.token != nullptr && !m_state.token->isExpired(m_now)) {
            // Soon at first: the broker may have obeyed, and repeats its answer for five seconds only.
            const int doublings = std::min(m_state.failedRenewals++, 10);
            const auto wait = std::min(m_state.options->firstBackoff * (1 << doublings), m_state.options->maxBackoff);
            startTimer(SessionTimer::Renewal, std::max(failed.error.retryAfter.value_or(Milliseconds{0}), wait));
        }
    }
}

void Stepper::tokenGone(TokenNews news)
{
    if (m_state.token == nullptr) {
        return;
    }
    tell(session_notice::TokenChanged{news, m_state.sessionId, {}});
    put(DiscardToken{m_state.token});
    m_state.token.reset();
    m_state.openedWith.reset();
    stopTimer(SessionTimer::Renewal);
    stopTimer(SessionTimer::Expiry);
}

} // namespace vivavoce::core::internal
