#include "core/session/usage_reporter.h"

#include "core/protocol/broker/messages.h"
#include "core/protocol/openai/codec.h"

#include <algorithm>
#include <utility>

namespace vivavoce::core {
namespace {

namespace notice = session_notice;

/// How often a session is told of that costs nothing but time.
constexpr Milliseconds kStandingEvery{60'000};
constexpr Milliseconds kRetryAfter{15'000};
/// A broker that is away for so many replies hears of the latest ones.
constexpr std::size_t kMostEvents = 1'000;

constexpr int kUnauthorised = 401;
constexpr int kTooMany = 429;
constexpr int kServerError = 500;

/// Also where it is gone.
bool isSame(const CredentialPtr::weak_type& known, const CredentialPtr& credential)
{
    return !known.owner_before(credential) && !credential.owner_before(known);
}

} // namespace

void UsageReporter::told(const SessionNotice& notice)
{
    if (const auto* token = std::get_if<notice::TokenChanged>(&notice)) {
        tokenChanged(*token);
    } else if (const auto* changed = std::get_if<notice::PhaseChanged>(&notice)) {
        phaseChanged(changed->phase);
    } else if (std::holds_alternative<notice::ToolCalled>(notice)) {
        if (Session* const session = current()) {
            ++session->toolCalls;
            session->isNews = true;
        }
    } else if (const auto* reply = std::get_if<notice::ReplyUsage>(&notice)) {
        openai::ResponseDone done;
        done.response.id = reply->responseId;
        done.response.usage = reply->usage;
        addEvent(openai::encode(openai::ServerEvent(std::move(done))));
    } else if (const auto* transcript = std::get_if<notice::TranscriptionUsage>(&notice)) {
        openai::InputAudioTranscriptionCompleted completed;
        completed.itemId = transcript->itemId;
        completed.usage = transcript->usage;
        addEvent(openai::encode(openai::ServerEvent(std::move(completed))));
    }
}

void UsageReporter::tokenChanged(const notice::TokenChanged& changed)
{
    if (changed.news != TokenNews::Acquired && changed.news != TokenNews::Refreshed) {
        return;
    }
    countTime();
    m_isDirect = !changed.isRelayed;
    if (m_isDirect && (m_sessions.empty() || m_sessions.back().id != changed.sessionId)) {
        Session session;
        session.id = changed.sessionId;
        m_sessions.push_back(std::move(session));
    }
}

void UsageReporter::phaseChanged(Phase phase)
{
    const bool isLive = phase == Phase::Live;
    if (isLive == m_isLive) {
        return;
    }
    countTime();
    m_isLive = isLive;
    m_countedUntil = m_deps.clock.now();
    if (isLive) {
        tellLater(kStandingEvery);
    } else {
        tell();
    }
}

void UsageReporter::countTime()
{
    Session* const session = current();
    const MonotonicTime now = m_deps.clock.now();
    if (session != nullptr && m_isLive && now > m_countedUntil) {
        session->connected += std::chrono::duration_cast<Milliseconds>(now - m_countedUntil);
        session->isNews = true;
    }
    m_countedUntil = now;
}

void UsageReporter::addEvent(std::string event)
{
    Session* const session = current();
    if (session == nullptr) {
        return;
    }
    session->events.push_back(std::move(event));
    session->isNews = true;
    if (session->events.size() > kMostEvents) {
        session->events.pop_front();
    }
    tell();
}

UsageReporter::Session* UsageReporter::nextToTell()
{
    const auto found =
        std::find_if(m_sessions.begin(), m_sessions.end(), [](const Session& session) { return session.isNews; });
    return found == m_sessions.end() ? nullptr : &*found;
}

void UsageReporter::tell()
{
    if (m_isAsking || m_call != nullptr) {
        return;
    }
    countTime();
    Session* const session = nextToTell();
    if (session == nullptr) {
        return;
    }
    m_timer.reset();
    session->isNews = false;
    broker::UsageReport report;
    report.sessionId = session->id;
    report.connectedMs = session->connected.count();
    report.toolCalls = session->toolCalls;
    if (!m_deps.transcriptionModel.empty()) {
        report.transcriptionModel = m_deps.transcriptionModel;
    }
    const std::size_t count = std::min(session->events.size(), broker::kMostReportedEvents);
    report.events.assign(session->events.begin(), session->events.begin() + static_cast<std::ptrdiff_t>(count));
    HttpClient::Request request;
    request.url = m_deps.baseUrl + "/api/voice/usage";
    request.headers.add("Accept", "application/json");
    request.headers.add("Content-Type", "application/json");
    request.body = broker::encode(report);
    m_isAsking = true;
    m_deps.credential->fetch([weak = std::weak_ptr<UsageReporter*>(m_self), request = std::move(request),
                                 id = session->id, count](const Expected<CredentialPtr, Error>& credential) mutable {
        const auto self = weak.lock();
        if (self == nullptr) {
            return;
        }
        if (credential && (*self)->m_refused && isSame(*(*self)->m_refused, *credential)) {
            (*self)->m_isAsking = false;
            (*self)->rest();
            return;
        }
        request.bearer = credential ? *credential : nullptr;
        (*self)->m_shown = request.bearer;
        (*self)->send(credential ? std::optional(std::move(request)) : std::nullopt, id, count);
    });
}

void UsageReporter::send(std::optional<HttpClient::Request> request, const std::string& id, std::size_t events)
{
    m_isAsking = false;
    if (!request) {
        const auto session =
            std::find_if(m_sessions.begin(), m_sessions.end(), [&](const Session& each) { return each.id == id; });
        session->isNews = true;
        tellLater(kRetryAfter);
        return;
    }
    m_call = m_deps.http.send(std::move(*request),
        [this, id, events](const Expected<HttpClient::Response, Error>& answer) { answered(id, events, answer); });
}

void UsageReporter::answered(
    const std::string& id, std::size_t events, const Expected<HttpClient::Response, Error>& answer)
{
    // The call that we stand in goes when this is done.
    const auto call = std::move(m_call);
    const auto session =
        std::find_if(m_sessions.begin(), m_sessions.end(), [&](const Session& each) { return each.id == id; });
    // A sign-in that has run out is renewed, and the figures are owed all the same.
    const bool isWorthTrying =
        !answer || answer->status == kUnauthorised || answer->status == kTooMany || answer->status >= kServerError;
    if (answer && answer->status == kUnauthorised && !m_deps.credential->replace(m_shown.lock())) {
        m_refused = m_shown;
        rest();
        return;
    }
    if (isWorthTrying) {
        session->isNews = true;
        tellLater(kRetryAfter);
        return;
    }
    session->events.erase(session->events.begin(),
        session->events.begin() + static_cast<std::ptrdiff_t>(std::min(events, session->events.size())));
    session->isNews = session->isNews || !session->events.empty();
    if (!session->isNews && &*session != &m_sessions.back()) {
        m_sessions.erase(session);
    }
    if (nextToTell() != nullptr) {
        tell();
    } else if (m_isLive) {
        tellLater(kStandingEvery);
    }
}

void UsageReporter::rest()
{
    for (Session& session : m_sessions) {
        session.isNews = false;
    }
}

void UsageReporter::tellLater(Milliseconds delay)
{
    m_timer = m_deps.executor.after(delay, [this] {
        // It may be replaced by what follows.
        const auto timer = std::move(m_timer);
        tell();
    });
}

} // namespace vivavoce::core
