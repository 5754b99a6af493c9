#include "core/session/internal/provider_errors.h"
#include "core/session/internal/stepper.h"

#include <algorithm>

namespace vivavoce::core::internal {

using namespace session_effect;

void Stepper::setPhase(Phase phase, Milliseconds retryIn)
{
    if (m_state.phase != phase) {
        m_state.phase = phase;
        tell(session_notice::PhaseChanged{phase, retryIn});
    }
}

void Stepper::startTimer(SessionTimer timer, Milliseconds delay, Milliseconds jitter)
{
    put(StartTimer{timer, delay, jitter});
}

void Stepper::on(const session_event::Start&)
{
    if (m_state.phase == Phase::Idle) {
        if (m_state.options->capturesWhileConnecting) {
            put(StartVoice{});
        }
        fetchToken();
    }
}

void Stepper::on(const session_event::Stop&)
{
    switch (m_state.phase) {
    case Phase::Closing:
    case Phase::Ended:
        return;
    case Phase::Starting:
    case Phase::Configuring:
    case Phase::Live:
        forgetReply();
        put(CutPlayback{});
        put(StopVoice{});
        put(CloseTransport{1000, {}});
        startTimer(SessionTimer::Close, m_state.options->deadlines.close);
        setPhase(Phase::Closing);
        return;
    case Phase::Idle:
    case Phase::FetchingToken:
    case Phase::Connecting:
    case Phase::Waiting:
        end(std::nullopt);
        return;
    }
}

void Stepper::on(const session_event::Abort& abort)
{
    if (m_state.phase != Phase::Ended) {
        end(abort.error);
    }
}

void Stepper::fetchToken()
{
    setPhase(Phase::FetchingToken);
    startTimer(SessionTimer::Token, m_state.options->deadlines.token);
    TokenQuery query;
    query.resumeSessionId = m_state.sessionId;
    put(FetchToken{std::move(query)});
}

void Stepper::renewToken()
{
    m_state.isRenewing = true;
    TokenQuery query;
    query.previous = m_state.token;
    put(FetchToken{std::move(query)});
}

void Stepper::on(const session_event::TokenArrived& arrived)
{
    const bool isFirst = m_state.token == nullptr;
    const bool isAwaited = m_state.phase == Phase::FetchingToken;
    if (!isAwaited && !m_state.isRenewing) {
        return;
    }
    m_state.isRenewing = false;
    m_state.token = arrived.token;
    m_state.sessionId = arrived.token->sessionId;
    const auto lifetime = std::chrono::duration_cast<Milliseconds>(arrived.token->expiresAt - m_now);
    const auto untilRenewal = std::chrono::duration_cast<Milliseconds>(arrived.token->refreshAfter - m_now);
    tell(session_notice::TokenChanged{isFirst ? TokenNews::Acquired : TokenNews::Refreshed, m_state.sessionId, lifetime,
        std::max(untilRenewal, Milliseconds{0}), arrived.token->provider, arrived.token->model,
        arrived.token->isRelayed});
    startTimer(
        SessionTimer::Renewal, std::max(untilRenewal, Milliseconds{0}), std::max(untilRenewal / 10, Milliseconds{0}));
    if (isAwaited) {
        stopTimer(SessionTimer::Token);
        connect();
    }
}

void Stepper::on(const session_event::TokenFailed& failed)
{
    if (m_state.phase == Phase::FetchingToken) {
        stopTimer(SessionTimer::Token);
        tell(session_notice::TokenChanged{TokenNews::Failed, m_state.sessionId, {}});
        // A session that the broker no longer knows cannot be continued, but the conversation can: in a new one.
        if (!m_state.sessionId.empty() && !isRetryable(failed.error.code)) {
            m_state.sessionId.clear();
        }
        lost(failed.error);
    } else if (m_state.isRenewing) {
        m_state.isRenewing = false;
        tell(session_notice::TokenChanged{TokenNews::Failed, m_state.sessionId, {}});
        tell(session_notice::Problem{failed.error});
        // The open conversation outlives its token; the next attempt is for a reconnect that may need one.
        if (isRetryable(failed.error.code) && m_state.token != nullptr && !m_state.token->isExpired(m_now)) {
            const auto wait = std::max(failed.error.retryAfter.value_or(Milliseconds{0}), m_state.options->maxBackoff);
            startTimer(SessionTimer::Renewal, wait);
        }
    }
}

void Stepper::connect()
{
    setPhase(Phase::Connecting);
    m_state.lastProviderError.reset();
    put(OpenTransport{m_state.token});
}

void Stepper::on(const session_event::Opened&)
{
    if (m_state.phase == Phase::Connecting) {
        setPhase(Phase::Starting);
        startTimer(SessionTimer::FirstEvent, m_state.options->deadlines.firstEvent);
    }
}

void Stepper::on(const session_event::OpenFailed& failed)
{
    switch (m_state.phase) {
    case Phase::Connecting:
    case Phase::Starting:
    case Phase::Configuring:
    case Phase::Live:
        lost(failed.error);
        return;
    case Phase::Closing:
        end(m_state.failure);
        return;
    default:
        return;
    }
}

void Stepper::on(const session_event::Closed& closed)
{
    switch (m_state.phase) {
    case Phase::Connecting:
    case Phase::Starting:
    case Phase::Configuring:
    case Phase::Live:
        lost(m_state.lastProviderError.value_or(errorOfClose(closed.close)));
        return;
    case Phase::Closing:
        end(m_state.failure);
        return;
    default:
        return;
    }
}

void Stepper::on(const session_event::TimedOut& timedOut)
{
    switch (timedOut.timer) {
    case SessionTimer::Token:
        if (m_state.phase == Phase::FetchingToken) {
            lost({ErrorCode::Timeout, "no token within the time for it", std::nullopt, {}});
        }
        return;
    case SessionTimer::FirstEvent:
        if (m_state.phase == Phase::Starting) {
            lost({ErrorCode::ProviderSilent, "the provider accepted the connection and then said nothing", std::nullopt,
                {}});
        }
        return;
    case SessionTimer::Configured:
        if (m_state.phase == Phase::Configuring) {
            tell(session_notice::Problem{
                {ErrorCode::ProviderSilent, "the provider did not confirm the session's settings", std::nullopt, {}}});
            goLive();
        }
        return;
    case SessionTimer::Reply:
        if (isLive() && !m_state.reply.isFree()) {
            lost({ErrorCode::ProviderSilent, "a reply stopped coming", std::nullopt, {}});
        } else if (isLive() && std::exchange(m_state.reply.isAwaited, false)) {
            tell(session_notice::Problem{{ErrorCode::ProviderSilent, "no reply to what was said", std::nullopt, {}}});
            settleActivity();
        }
        return;
    case SessionTimer::Renewal:
        if (m_state.token != nullptr && !m_state.isRenewing && m_state.phase != Phase::FetchingToken
            && m_state.phase != Phase::Closing && m_state.phase != Phase::Ended) {
            renewToken();
        }
        return;
    case SessionTimer::Backoff:
        if (m_state.phase == Phase::Waiting) {
            const bool isUsable = m_state.token != nullptr && !m_state.token->isExpired(m_now);
            isUsable ? connect() : fetchToken();
        }
        return;
    case SessionTimer::Close:
        if (m_state.phase == Phase::Closing) {
            end(m_state.failure);
        }
        return;
    }
}

void Stepper::lost(Error error)
{
    for (const SessionTimer timer :
        {SessionTimer::Token, SessionTimer::FirstEvent, SessionTimer::Configured, SessionTimer::Reply}) {
        stopTimer(timer);
    }
    put(DropTransport{});
    m_state.owesReply =
        m_state.owesReply || !m_state.reply.isFree() || m_state.reply.isAwaited || m_state.reply.isWanted;
    forgetReply();
    if (isRefusedCredential(error) && m_state.token != nullptr) {
        put(DiscardToken{m_state.token});
        // A reused token may have been too old for a new connection; a fresh one decides.
        if (m_state.wasLive && !std::exchange(m_state.isCredentialSuspect, true)) {
            error.code = ErrorCode::TokenExpired;
        }
        m_state.token.reset();
    }
    ++m_state.attempts;
    // Too long a wait is for the user to decide about, not for us to sit through in silence.
    const bool isPatient = error.retryAfter.value_or(Milliseconds{0}) <= m_state.options->maxBackoff;
    if (!isRetryable(error.code) || !isPatient || m_state.attempts >= m_state.options->maxAttempts) {
        end(std::move(error));
        return;
    }
    const int doublings = std::min(m_state.attempts - 1, 10);
    const Milliseconds backoff =
        std::min(m_state.options->firstBackoff * (1 << doublings), m_state.options->maxBackoff);
    const Milliseconds delay = std::max(backoff, error.retryAfter.value_or(Milliseconds{0}));
    // Coming back earlier than we were told to would only be refused again.
    const Milliseconds jitter = error.retryAfter ? Milliseconds{0} : backoff / 2;
    tell(session_notice::Problem{std::move(error)});
    setPhase(Phase::Waiting, delay);
    startTimer(SessionTimer::Backoff, delay, jitter);
}

void Stepper::end(std::optional<Error> error)
{
    if (m_state.phase == Phase::Ended) {
        return;
    }
    forgetReply();
    if (m_state.phase != Phase::Closing) {
        put(CutPlayback{});
        put(StopVoice{});
    }
    for (const SessionTimer timer : {SessionTimer::Token, SessionTimer::FirstEvent, SessionTimer::Configured,
             SessionTimer::Reply, SessionTimer::Renewal, SessionTimer::Backoff, SessionTimer::Close}) {
        stopTimer(timer);
    }
    put(DropTransport{});
    m_state.token.reset();
    m_state.isRenewing = false;
    m_state.failure = error;
    setPhase(Phase::Ended);
    tell(session_notice::Ended{std::move(error)});
}

void Stepper::forgetReply()
{
    if (!m_state.reply.itemId.empty()) {
        put(FinishItem{m_state.reply.itemId});
    }
    m_state.reply = ReplyGate();
    if (!m_state.tools.running.empty()) {
        put(CancelTools{});
    }
    m_state.tools = ToolRound();
    m_state.isUserSpeaking = false;
    m_state.log.closeOpenEntries();
}

} // namespace vivavoce::core::internal
