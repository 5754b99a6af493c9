#include "core/session/internal/provider_errors.h"
#include "core/session/internal/stepper.h"

#include <algorithm>

namespace vivavoce::core::internal {

using namespace session_effect;

namespace {

// Two of the broker's close codes (docs/protocol.md, "The relay").
constexpr std::uint16_t kTokenExpired = 4401;
constexpr std::uint16_t kSessionEnded = 4403;

} // namespace

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

void Stepper::connect()
{
    setPhase(Phase::Connecting);
    m_state.lastProviderError.reset();
    m_state.server = ServerTraits();
    m_state.server.dialect = m_state.token->dialect == "openai-beta" ? openai::Dialect::Beta : openai::Dialect::Ga;
    // Gemini's messages say their rates themselves.
    m_state.server.known = isGemini() ? VoiceRates() : m_state.token->rates;
    if (m_state.token->url != m_state.named.url) {
        m_state.named = {m_state.token->url, {}, {}};
    }
    m_state.isRelayed = m_state.token->isRelayed;
    // Gemini's own token opens one connection; the broker's opens one after another.
    m_state.openedWith = isGemini() && !m_state.isRelayed ? m_state.token : nullptr;
    m_state.isConnectionsTokenDoubtful = m_state.isTokenDoubtful;
    put(OpenTransport{m_state.token});
}

void Stepper::on(const session_event::Opened& opened)
{
    if (m_state.phase == Phase::Connecting) {
        m_state.server.beside = opened.beside;
        setPhase(Phase::Starting);
        startTimer(SessionTimer::FirstEvent, m_state.options->deadlines.firstEvent);
        // Whether it answers any is known before there is something to lose.
        m_state.speech.pinged();
        put(Ping{});
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
    case Phase::Live: {
        if (closed.close.code == kTokenExpired || closed.close.code == kSessionEnded) {
            tokenGone(closed.close.code == kTokenExpired ? TokenNews::Expired : TokenNews::Revoked);
        }
        // The broker knows why it hangs up, whatever the provider said before.
        const Error error = errorOfClose(closed.close, isGemini());
        lost(isBrokersClose(closed.close) ? error : m_state.lastProviderError.value_or(error));
        return;
    }
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
        if (m_state.phase == Phase::Starting && !m_state.server.oddGreeting.empty()) {
            const std::string said = tame(m_state.server.oddGreeting);
            lost({ErrorCode::ProviderMalformed, "the provider began no session, and said " + said, std::nullopt, said});
        } else if (m_state.phase == Phase::Starting) {
            lost({ErrorCode::ProviderSilent, "the provider accepted the connection and then said nothing", std::nullopt,
                {}});
        }
        return;
    case SessionTimer::Configured:
        if (m_state.phase == Phase::Configuring && isGemini()) {
            // There the confirmation is what says that there is a session.
            lost({ErrorCode::ProviderSilent, "the provider did not confirm the setup", std::nullopt, {}});
        } else if (m_state.phase == Phase::Configuring) {
            Error error{
                ErrorCode::ProviderSilent, "the provider did not confirm the session's settings", std::nullopt, {}};
            if (!m_state.arePingsAnswered && m_state.attempts == 0) {
                // A dead connection would be taken for a live one, and nothing could ever tell. Who answers neither settings nor pings is
                // believed the second time.
                lost(std::move(error));
                return;
            }
            tell(session_notice::Problem{std::move(error)});
            goLiveAsItIs();
        }
        return;
    case SessionTimer::Reply:
        if (isLive() && m_state.reply.hasItemEnded && m_state.server.endsReplies != true) {
            m_state.server.endsReplies = false;
            replyEndedUnsaid();
        } else if (isLive() && !m_state.reply.isFree()) {
            lost({ErrorCode::ProviderSilent, "a reply stopped coming", std::nullopt, {}});
        } else if (isLive() && std::exchange(m_state.reply.isAwaited, false)) {
            tell(session_notice::Problem{{ErrorCode::ProviderSilent, "no reply to what was said", std::nullopt, {}}});
            turnsAnswered();
            if (m_state.tools.wantsReply || m_state.reply.isWanted
                || std::exchange(m_state.reply.isPartOfTurn, false)) {
                requestReply();
            }
            settleActivity();
        }
        return;
    case SessionTimer::TurnEnd:
        if (std::exchange(m_state.held.isEnding, false)) {
            heldTurnEnds();
        }
        return;
    case SessionTimer::Liveness:
        if (isLive()) {
            pingUnanswered();
        }
        return;
    case SessionTimer::HandOver:
        if (isLive() && std::exchange(m_state.isHandOverDue, true)) {
            handOver();
        } else if (isLive()) {
            startTimer(
                SessionTimer::HandOver, m_state.options->deadlines.handOver - m_state.options->deadlines.lastHandOver);
        }
        return;
    case SessionTimer::Expiry:
        if (m_state.token != nullptr && m_state.token->isExpired(m_now)) {
            tokenGone(TokenNews::Expired);
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
            const bool isSpent = isGemini() && m_state.openedWith == m_state.token;
            const bool isUsable = m_state.token != nullptr && !m_state.token->isExpired(m_now) && !isSpent;
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

void Stepper::letGo()
{
    for (const SessionTimer timer : {SessionTimer::Token, SessionTimer::FirstEvent, SessionTimer::Configured,
             SessionTimer::Reply, SessionTimer::Liveness, SessionTimer::HandOver}) {
        stopTimer(timer);
    }
    put(DropTransport{});
    keepUnsettledSpeech();
    forgetReply();
    m_state.unansweredPings = 0;
    m_state.isStalled = false;
    m_state.backlog = Milliseconds{0};
    m_state.backlogEnd = 0;
    m_state.isHandOverDue = false;
}

void Stepper::lost(Error error)
{
    // It was taken before: a proxy that starts anew says so of whatever it does not know yet.
    const bool isOpening = m_state.phase == Phase::Connecting || m_state.phase == Phase::Starting;
    const bool mayPass = m_state.wasLive && isOpening && error.code == ErrorCode::ChoiceRefused;
    letGo();
    if (isRefusedCredential(error)) {
        const bool isOld = m_state.token == nullptr || m_state.token->isExpired(m_now);
        const bool isDoubtful = m_state.isConnectionsTokenDoubtful;
        // A reused token may have been too old for a new connection; a fresh one decides.
        if ((m_state.wasLive || isOld || isDoubtful) && !std::exchange(m_state.isCredentialSuspect, true)) {
            error.code = ErrorCode::TokenExpired;
        }
        // Its successor may have come meanwhile, and has not been tried.
        if (!isDoubtful || m_state.isTokenDoubtful) {
            tokenGone(isOld ? TokenNews::Expired : TokenNews::Revoked);
        }
    }
    comeBackOrEnd(std::move(error), mayPass);
}

void Stepper::comeBackOrEnd(Error error, bool mayPass)
{
    ++m_state.attempts;
    // Too long a wait is for the user to decide about, not for us to sit through in silence.
    const bool isPatient = error.retryAfter.value_or(Milliseconds{0}) <= m_state.options->maxBackoff;
    const int most = m_state.wasLive ? m_state.options->maxAttemptsOnceLive : m_state.options->maxAttempts;
    const bool isHopeless = m_state.attempts >= most || m_state.lostReplies >= m_state.options->maxAttempts;
    if ((!isRetryable(error.code) && !mayPass) || !isPatient || isHopeless) {
        end(std::move(error));
        return;
    }
    const int doublings = std::min(std::max(m_state.attempts, m_state.lostReplies) - 1, 10);
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
    for (const SessionTimer timer : kSessionTimers) {
        stopTimer(timer);
    }
    put(DropTransport{});
    const bool isCut = m_state.phase == Phase::Closing;
    const bool isPlaying = m_state.isPlaying && !isCut;
    forgetReply();
    m_state.openedWith.reset();
    m_state.token.reset();
    m_state.isRenewing = false;
    m_state.failure = std::move(error);
    if (isPlaying) {
        // How much was heard of it belongs to the conversation, and nothing is told after the end.
        m_state.endsWithCut = true;
        put(CutPlayback{});
        put(StopVoice{});
        startTimer(SessionTimer::Close, m_state.options->deadlines.close);
        setPhase(Phase::Closing);
        return;
    }
    if (!isCut) {
        put(StopVoice{});
    }
    ended();
}

void Stepper::ended()
{
    m_state.endsWithCut = false;
    if (m_state.failure && m_state.wasLive) {
        tellKeptAsLost();
    }
    stopTimer(SessionTimer::Close);
    setPhase(Phase::Ended);
    tell(session_notice::Ended{m_state.failure});
}

void Stepper::forgetReply()
{
    if (!m_state.reply.itemId.empty()) {
        put(FinishItem{m_state.reply.itemId});
    }
    if (!m_state.reply.activeId.empty()) {
        settleItems(m_state.reply.activeId, false);
    }
    // What came of it may be heard for a while yet; the provider of another connection knows nothing of it.
    for (ReplyItem& item : m_state.replyItems) {
        item.isTruncated = true;
    }
    m_state.reply = ReplyGate();
    if (!m_state.tools.running.empty()) {
        put(CancelTools{});
    }
    ToolRound gone;
    gone.rounds = m_state.tools.rounds;
    if (m_state.owedReply == OwedReply::ToTools) {
        gone.answered = std::move(m_state.tools.answered);
    }
    m_state.tools = std::move(gone);
    m_state.isUserSpeaking = false;
    m_state.log.closeOpenEntries();
}

} // namespace vivavoce::core::internal
