#include "broker/http/stream_opener.h"

#include "broker/http/problem_response.h"
#include "broker/http/token_answer.h"
#include "broker/relay/discreet_session.h"
#include "broker/tokens/session_account.h"
#include "broker/tokens/session_audit.h"
#include "net/websocket_client.h"

#include <nlohmann/json.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace vivavoce::broker::http {
namespace {

using relay::RelaySession;
using Refused = core::Unexpected<net::HttpResponse>;

const char* byWhom(relay::StreamEnd::By by)
{
    switch (by) {
    case relay::StreamEnd::By::Client:
        return "client";
    case relay::StreamEnd::By::Provider:
        return "provider";
    case relay::StreamEnd::By::Broker:
        return "broker";
    }
    return "unknown";
}

const char* byWhom(const relay::StreamEnd& end)
{
    // Of a client's message that was too long, say, it is we who ended it.
    return byWhom(end.close.isOurs ? relay::StreamEnd::By::Broker : end.by);
}

/// What a token of a session is counted by: nothing of the token itself, and another one for the next token.
std::string credentialOf(const SessionClaims& claims)
{
    const auto until = std::chrono::floor<std::chrono::seconds>(claims.expiresAt).time_since_epoch();
    return claims.sessionId + ' ' + std::to_string(until.count());
}

/// Of what is shown in the key's place; null: nothing is.
std::shared_ptr<const CredentialMask> tokenMaskOf(const net::WebSocketRequest& door, const CredentialMask& key)
{
    const auto shown = door.headers.find("Authorization");
    const auto token = shown ? shown->substr(shown->rfind(' ') + 1) : std::string_view();
    return token.empty() || key.isOf(token) ? nullptr : CredentialMask::of(token);
}

/// Said with or without a code, as browsers do; going away (1001) and a lost connection (1006) are not.
bool isGoodbye(const relay::StreamEnd& end)
{
    return end.by == relay::StreamEnd::By::Client
        && (end.close.code == relay::closing::kNormal || end.close.code == relay::closing::kNoCode);
}

transcripts::TranscriptDesk::Words wordsOf(const SessionRecord& session, const Policy& policy)
{
    using Words = transcripts::TranscriptDesk::Words;
    // Its client was told so, and its project still wants it.
    if (!session.keepsTranscript) {
        return Words::Over;
    }
    return policy.areTranscriptsKept() ? Words::Kept : Words::LeftOut;
}

/// What the session is may not be allowed any more; what it does not name is filled in, as for a renewal.
std::optional<Fault> fit(const Policy& policy, const std::string& provider, SessionRecord& session)
{
    core::broker::TokenRequest asked;
    asked.model = session.model;
    asked.voice = session.voice;
    if (auto fault = apply(policy, provider, asked)) {
        return fault;
    }
    session.voice = std::move(asked.voice);
    if (asked.instructions) {
        session.instructions = std::move(asked.instructions);
    }
    return std::nullopt;
}

} // namespace

net::HttpResponse StreamOpener::turnAway(const Client& client, const Fault& fault)
{
    if (isDenial(fault.code)) {
        m_deps.entrance.turnedAway(client, faultRow(fault.code).text);
    }
    return problemResponse(fault);
}

net::HttpResponse StreamOpener::turnAway(Entrance::Stranger& stranger, const Fault& fault)
{
    if (fault.code == FaultCode::InvalidToken) {
        return m_deps.entrance.refuse(stranger, fault, faultRow(fault.code).text);
    }
    m_deps.entrance.hasProved(stranger);
    return turnAway(stranger.client, fault);
}

net::Awaitable<core::Expected<StreamOpener::Visitor, net::HttpResponse>> StreamOpener::identify(
    Entrance::Stranger stranger, core::Expected<core::Secret, Fault> token)
{
    if (!token) {
        co_return Refused(m_deps.entrance.refuse(stranger, token.error(), faultRow(token.error().code).text));
    }
    auto claims = m_deps.door.read(*token);
    if (!claims) {
        co_return Refused(turnAway(stranger, claims.error()));
    }
    std::string credential = credentialOf(*claims);
    const Admission own = m_deps.gatekeeper.admitCredential(credential);
    if (own.fault) {
        m_deps.entrance.turnedAway(stranger.client, faultRow(own.fault->code).text);
        co_return Refused(chargedProblem(*own.fault, own.charge));
    }
    auto permit = co_await m_deps.door.enter(std::move(*token), std::move(*claims));
    if (!permit) {
        co_return Refused(turnAway(stranger, permit.error()));
    }
    m_deps.entrance.hasProved(stranger);
    Visitor visitor{std::move(*permit), std::move(stranger.client), std::move(credential), own.ticket};
    co_return std::move(visitor);
}

net::Awaitable<core::Expected<StreamOpener::Opening, net::HttpResponse>> StreamOpener::open(
    Visitor visitor, std::string requestId)
{
    SessionRecord& record = visitor.permit.session.record;
    Visit visit;
    visit.door = Door::Refresh;
    visit.user = record.caller;
    visit.address = visitor.client.address;
    visit.sessionId = record.id;
    const Admission admission = co_await m_deps.gatekeeper.admit(std::move(visit));
    if (admission.fault) {
        m_deps.entrance.turnedAway(visitor.client, faultRow(admission.fault->code).text);
        co_return Refused(chargedProblem(*admission.fault, admission.charge));
    }
    countedElsewhere(visitor);
    auto fault = fit(visitor.permit.policy, m_deps.providers.ofModel(record.model).name(), record);
    if (fault) {
        co_return Refused(turnAway(visitor.client, *fault));
    }
    auto account = accountFor(visitor.permit);
    if (account) {
        fault = co_await (*account)->mayGoOn();
    } else {
        fault = std::move(account.error());
    }
    if (fault) {
        co_return Refused(turnAway(visitor.client, *fault));
    }
    m_deps.log.write(LogLevel::Info, "stream.opened",
        {{"session", record.id}, {"request", requestId}, {"peer", visitor.client.address}});
    Opening opening;
    opening.order = MintOrder{record.model, record.voice, record.instructions};
    opening.hangUp = recordOf(AuditEvent::Revoke, visitor.client, record);
    opening.hangUp.why = "hung_up";
    auto allowance = allowanceOf(record.id);
    if (m_deps.rates.isSpending((*account)->account())) {
        visitor.permit.locks.transcribersPrices = m_deps.rates.pricesOf((*account)->account());
    }
    const relay::Protocol& protocol = protocolOf(record);
    auto check = protocol.check(std::move(visitor.permit.locks));
    opening.conversation = conversationOf(visitor.permit);
    opening.words = wordsOf(record, visitor.permit.policy);
    auto keeper = keeperFor(opening, protocol);
    check->setBytesPerMillisecond((*account)->inputBytesPerMillisecond());
    auto settings = m_settings;
    settings.dialPatience = m_deps.providers.ofModel(record.model).handshakePatience().value_or(settings.dialPatience);
    opening.stream = std::make_shared<RelaySession>(std::move(visitor.permit.session), settings,
        RelaySession::Dependencies{std::move(check), std::move(allowance), std::move(*account), m_deps.clock,
            protocol.beginning(), std::move(keeper)});
    co_return std::move(opening);
}

core::Expected<std::shared_ptr<relay::StreamAccount>, Fault> StreamOpener::accountFor(
    const relay::RelayDoor::Permit& permit) const
{
    const SessionRecord& session = permit.session.record;
    const Provider& provider = m_deps.providers.ofModel(session.model);
    usage::Account account = accountOf(session, provider.name(), permit.policy.budgets);
    const core::WallTime now = m_deps.clock.wallNow();
    if (auto fault = m_deps.rates.hold(account, now)) {
        return core::Unexpected<Fault>(std::move(*fault));
    }
    auto meter = protocolOf(session).meter(
        {session.model, m_deps.rates.pricesOf(account), session.startedAt, m_deps.rates.isFree(account), {},
            m_deps.rates.costOfUntold(account, now), provider.connect(session.model).audio.rates});
    return std::make_shared<relay::StreamAccount>(std::move(account), std::move(meter), m_deps.ledger, m_deps.clock);
}

std::shared_ptr<const transcripts::Conversation> StreamOpener::conversationOf(
    const relay::RelayDoor::Permit& permit) const
{
    const SessionRecord& session = permit.session.record;
    if (session.project.empty()) {
        return nullptr;
    }
    transcripts::TranscriptDesk& desk = m_deps.transcriptDesk;
    auto of = std::make_shared<transcripts::Conversation>();
    of->session = session.id;
    of->project = session.project;
    of->caller = session.caller;
    of->issuer = session.issuer;
    of->subject = session.subject;
    of->model = session.model;
    of->startedAt = session.startedAt;
    of->begun = desk.nextBeginning();
    const std::int64_t kept = desk.kept().count();
    of->kept = std::chrono::days(std::min(permit.policy.transcriptDays.value_or(kept), kept));
    return of;
}

std::unique_ptr<relay::TranscriptKeeper> StreamOpener::keeperFor(
    const Opening& opening, const relay::Protocol& protocol) const
{
    if (opening.conversation == nullptr || opening.words != transcripts::TranscriptDesk::Words::Kept) {
        return nullptr;
    }
    transcripts::TranscriptDesk& desk = m_deps.transcriptDesk;
    return protocol.keeper(
        [&desk, of = opening.conversation](transcripts::Line line) { desk.take(of, std::move(line)); });
}

net::Awaitable<> StreamOpener::run(Opening opening, net::WebSocketSession& client)
{
    const auto stream = std::move(opening.stream);
    /// However this coroutine ends.
    struct Listed {
        Listed(relay::LiveStreams& all, std::shared_ptr<RelaySession> one) : streams(all), stream(std::move(one))
        {
            streams.add(stream);
        }
        ~Listed() { streams.remove(stream); }
        Listed(const Listed&) = delete;
        Listed& operator=(const Listed&) = delete;
        relay::LiveStreams& streams;
        std::shared_ptr<RelaySession> stream;
    };
    const core::MonotonicTime since = m_deps.clock.now();
    const Listed listed(m_deps.streams, stream);
    using Opened = core::Expected<std::unique_ptr<net::WebSocketSession>, core::Error>;
    const RelaySession::Dial dial = [this, stream, order = std::move(opening.order), of = opening.conversation,
                                        words = opening.words]() -> net::Awaitable<Opened> {
        Provider& provider = m_deps.providers.ofModel(order.model);
        auto door = co_await provider.opening(order);
        if (!door) {
            co_await toldOf(provider.name(), door.error());
            co_return core::Unexpected<core::Error>(std::move(door.error()));
        }
        door->maxMessageBytes = kLongestStreamMessage;
        door->queueBytes = kStreamQueueBytes;
        door->silence = kStreamSilence;
        auto token = tokenMaskOf(*door, *provider.mask());
        auto opened = co_await net::openWebSocket(std::move(*door));
        if (opened) {
            if (of != nullptr) {
                // Nothing is said before.
                m_deps.transcriptDesk.begin(of, words);
            }
            // Not before: another stream of the session goes on where this one comes to nothing.
            co_await begin(stream);
        } else {
            co_await toldOf(provider.name(), opened.error());
        }
        if (opened) {
            opened = discreet(std::move(*opened), provider.mask(), std::move(token), *stream);
        }
        co_return std::move(opened);
    };
    std::optional<relay::StreamEnd> end;
    std::exception_ptr thrown;
    try {
        end = co_await stream->run(client, dial);
    } catch (...) {
        // Cancelled, most likely.
        thrown = std::current_exception();
    }
    stream->endTranscript();
    if (opening.conversation != nullptr && opening.words == transcripts::TranscriptDesk::Words::Kept) {
        m_deps.transcriptDesk.end(opening.conversation);
    }
    // Whoever goes down, or gives up: the ledger hears of this stream.
    co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
    if (!end) {
        // Named: of an aggregate that is a temporary of co_await, GCC 12 destroys a copy that it has made bit by bit.
        end = relay::StreamEnd{relay::StreamEnd::By::Broker, {relay::closing::kGoingAway, "going_away"}};
    }
    if (stream->refusal()) {
        co_await toldOf(stream->account().account().provider, *stream->refusal());
    }
    co_await settleEnd(*stream, std::move(*end), std::move(opening.hangUp), since);
    if (thrown != nullptr) {
        std::rethrow_exception(thrown);
    }
}

net::Awaitable<> StreamOpener::begin(std::shared_ptr<RelaySession> stream)
{
    if (stream->isToldToEnd()) {
        // Another one has its place, and may be in the ledger already.
        co_return;
    }
    auto fault = co_await stream->account().begin();
    if (!fault) {
        m_deps.streams.takePlace(stream);
        fault = co_await stream->account().outlastFormer();
    }
    if (fault) {
        const bool isSpent = fault->code == FaultCode::BudgetExhausted;
        stream->end({isSpent ? relay::closing::kBudgetExhausted : relay::closing::kTryAgainLater,
            std::string(faultRow(fault->code).text)});
    }
}

net::Awaitable<> StreamOpener::settleEnd(
    RelaySession& stream, relay::StreamEnd end, AuditRecord hangUp, core::MonotonicTime since)
{
    const bool isOurs = end.by == relay::StreamEnd::By::Broker;
    const bool isTakenOver = isOurs && end.close.code == relay::closing::kTakenOver;
    std::string reason = isOurs ? end.close.reason : byWhom(end);
    if (isTakenOver) {
        // The session goes on, and holds what it holds.
        reason.clear();
    }
    co_await stream.account().close(std::move(reason));
    if (isTakenOver) {
        stream.account().release();
    }
    if (isGoodbye(end)) {
        const bool goesOn = co_await hasSuccessor(stream);
        if (!goesOn) {
            co_await hungUp(std::move(hangUp));
        }
    }
    told(stream, end, since);
}

net::Awaitable<bool> StreamOpener::hasSuccessor(RelaySession& stream)
{
    if (stream.isToldToEnd() || m_deps.streams.hasOther(stream)) {
        co_return true;
    }
    std::vector<std::string> ids{stream.sessionId()};
    const auto holders = co_await m_deps.ledger.holders(std::move(ids));
    const auto found = holders.find(stream.sessionId());
    co_return found != holders.end() && found->second != stream.account().account().stream;
}

net::Awaitable<> StreamOpener::hungUp(AuditRecord told)
{
    const std::string sessionId = told.session;
    static_cast<void>(m_deps.audit.append(told));
    m_deps.ledger.endsBecause(sessionId, "ended");
    const auto gone = co_await m_deps.registry.end(sessionId);
    if (!gone) {
        // It ends when its token does.
        m_deps.log.write(LogLevel::Warning, "session.not_ended", {{"session", sessionId}});
        tellOfFailure(m_deps.audit, std::move(told), gone.error());
    }
}

net::Awaitable<> StreamOpener::toldOf(const std::string& provider, const core::Error& failure) const
{
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) {
        // We hung up on it: the client has gone, or opened another stream.
        co_return;
    }
    m_deps.log.write(LogLevel::Warning, "provider.failed",
        {{"provider", provider}, {"code", core::codeText(failure.code)}, {"detail", failure.detail}});
}

std::unique_ptr<net::WebSocketSession> StreamOpener::discreet(std::unique_ptr<net::WebSocketSession> opened,
    std::shared_ptr<const CredentialMask> key, std::shared_ptr<const CredentialMask> token,
    const RelaySession& stream) const
{
    // The stream has it as its own.
    const auto onQuoted = [this, &stream] {
        m_deps.metrics.keyQuoted();
        m_deps.log.write(LogLevel::Warning, "provider.quoted_key",
            {{"provider", stream.account().account().provider}, {"session", stream.sessionId()}});
    };
    return std::make_unique<relay::DiscreetSession>(std::move(opened), std::move(key), std::move(token), onQuoted);
}

void StreamOpener::told(const RelaySession& stream, const relay::StreamEnd& end, core::MonotonicTime since) const
{
    const auto lasted = m_deps.clock.now() - since;
    const relay::StreamCounts& counts = stream.counts();
    // A reason of the client's or the provider's is foreign text: only the code is told of those.
    const bool isOurs = end.by == relay::StreamEnd::By::Broker || end.close.isOurs;
    m_deps.log.write(LogLevel::Info, "stream.closed",
        {{"session", stream.sessionId()}, {"by", byWhom(end)}, {"code", end.close.code},
            {"why", isOurs ? end.close.reason : std::string()},
            {"ms", std::chrono::duration_cast<core::Milliseconds>(lasted).count()}, {"messagesIn", counts.fromClient},
            {"messagesOut", counts.fromProvider}});
    if (const std::uint64_t untold = stream.account().untold(); untold > 0) {
        m_deps.log.write(LogLevel::Warning, "usage.untold", {{"session", stream.sessionId()}, {"responses", untold}});
    }
}

} // namespace vivavoce::broker::http
