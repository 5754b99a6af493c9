#include "broker/relay/relay_session.h"

#include "net/timer.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <utility>
#include <vector>

namespace vivavoce::broker::relay {
namespace {

namespace asio = boost::asio;
using namespace boost::asio::experimental::awaitable_operators;
using Clock = std::chrono::steady_clock;
using core::ErrorCode;
using Message = net::WebSocketMessage;
using Opened = core::Expected<std::unique_ptr<net::WebSocketSession>, core::Error>;

using net::asTuple;
/// Both sides hear of the end within a second.
constexpr core::Milliseconds kFarewell{500};
/// Also of a client that takes what is queued, but slowly, where it has no right to be here any more.
constexpr core::Milliseconds kLongestFarewell{900};
/// So much in its queue and it may be that a provider does not read.
constexpr std::size_t kMuchUnsent = 256 * 1024;
constexpr core::Milliseconds kBetweenLooks{50};

/// The client may try again at once, later, or has to be told that it is of no use.
net::WebSocketClose closeOfFailure(const core::Error& error)
{
    switch (error.code) {
    case ErrorCode::ProviderRefused:
    case ErrorCode::ProviderMalformed:
    case ErrorCode::ProviderQuota:
    case ErrorCode::BadUsage:
    case ErrorCode::ChoiceRefused:
        return {closing::kInternal, std::string(faultRow(faultOfProvider(error).code).text)};
    default:
        return {closing::kTryAgainLater, std::string(faultRow(faultOfProvider(error).code).text)};
    }
}

/// With what the provider has said of it, as far as it is printable and has room.
net::WebSocketClose withWords(net::WebSocketClose close, std::string_view theirs)
{
    constexpr std::size_t kLongestReason = 123;
    std::string words;
    for (const char c : theirs) {
        const auto byte = static_cast<unsigned char>(c);
        const bool isRest = (byte & 0xC0U) == 0x80U;
        if (!isRest) {
            words += byte >= 0x20U && byte < 0x7FU ? c : '?';
        }
    }
    const std::string behind = words.empty() ? std::string() : ": " + words;
    if (close.reason.size() + behind.size() <= kLongestReason) {
        close.reason += behind;
    }
    return close;
}

/// What every client can read.
std::uint16_t readable(std::uint16_t code)
{
    return code >= closing::kFirstUnreadable && code <= closing::kLastUnreadable ? closing::kTryAgainLater : code;
}

bool isTakenAway(std::uint16_t code)
{
    return code == closing::kTokenExpired || code == closing::kSessionEnded || code == closing::kSessionTooLong;
}

/// Of what a budget bears one at a time. By the provider's own code: clients know it, and ask again.
Verdict tooMany(Verdict verdict)
{
    verdict.kind = Verdict::Kind::Refuse;
    verdict.code = "conversation_already_has_active_response";
    verdict.why = "There is a budget, and it bears one response at a time: ask again when this one is done.";
    return verdict;
}

net::Awaitable<bool> passOn(net::WebSocketSession& to, Message message)
{
    if (message.kind == Message::Kind::Text) {
        const bool isTaken = co_await to.send(std::move(message.data));
        co_return isTaken;
    }
    const bool isTaken = co_await to.sendBinary(std::move(message.data));
    co_return isTaken;
}

} // namespace

struct RelaySession::Bell {
    explicit Bell(const net::IoExecutor& executor)
        : timer(executor, std::chrono::steady_clock::time_point::max()), bill(executor)
    {
    }
    /// Never runs out; cancelled by `finish`.
    net::Timer timer;
    /// Runs out when the provider is given up; cancelled when it has said it all.
    net::Timer bill;
};

RelaySession::RelaySession(LiveSession session, Settings settings, Dependencies dependencies)
    : m_record(std::move(session.record)),
      m_settings(settings),
      m_deps(std::move(dependencies)),
      m_expiresAt(session.expiresAt)
{
}

net::Awaitable<StreamEnd> RelaySession::run(net::WebSocketSession& client, Dial dial)
{
    m_client = &client;
    m_bell = std::make_shared<Bell>(client.executor());
    {
        const std::lock_guard lock(m_mutex);
        m_executor = client.executor();
        if (m_wanted) {
            finish(StreamEnd::By::Broker, *m_wanted);
        }
    }
    if (!m_end) {
        co_await open(std::move(dial));
    }
    if (m_upstream != nullptr) {
        co_await (passUp() && passDown() && closeBoth());
    } else {
        co_await closeBoth();
    }
    m_client = nullptr;
    co_return *m_end;
}

void RelaySession::endTranscript()
{
    if (m_deps.keeper != nullptr && !std::exchange(m_isTranscriptOver, true)) {
        m_deps.keeper->ended(m_deps.clock.wallNow());
    }
}

net::Awaitable<> RelaySession::open(Dial dial)
{
    net::Timer deadline(m_client->executor(), m_settings.dialPatience);
    auto opened = co_await (dial() || deadline.async_wait(asTuple) || m_bell->timer.async_wait(asTuple));
    auto* answer = std::get_if<0>(&opened);
    if (answer == nullptr) {
        finish(StreamEnd::By::Provider, net::WebSocketClose{closing::kTryAgainLater, "provider_timeout"});
        co_return;
    }
    if (!*answer) {
        finish(StreamEnd::By::Provider, closeOfFailure(answer->error()));
        co_return;
    }
    m_upstream = std::move(**answer);
    m_deps.account->opened();
}

net::Awaitable<> RelaySession::passUp()
{
    bool goesOn = true;
    while (goesOn) {
        auto message = co_await m_client->read();
        if (!message) {
            finish(StreamEnd::By::Client, std::move(message.error()));
            co_return;
        }
        goesOn = co_await take(std::move(*message));
    }
}

net::Awaitable<bool> RelaySession::take(Message message)
{
    if (m_end) {
        co_return true;
    }
    Verdict verdict = m_deps.check->look(message);
    if (verdict.kind == Verdict::Kind::End) {
        const auto code = verdict.isTooBig ? closing::kTooBig : closing::kPolicyViolation;
        const std::string where = verdict.field.empty() ? std::string() : " " + verdict.field;
        finish(StreamEnd::By::Broker, net::WebSocketClose{code, std::string(verdict.code) + where});
        co_return false;
    }
    if (!m_deps.allowance->take(verdict.audio, m_deps.clock.now())) {
        finish(StreamEnd::By::Broker, net::WebSocketClose{closing::kPolicyViolation, "rate_limited"});
        co_return false;
    }
    if (verdict.kind == Verdict::Kind::Refuse) {
        const bool isTold = co_await refuse(std::move(verdict));
        co_return isTold;
    }
    if (verdict.asksForResponse) {
        const bool isItsTurn = co_await mayAsk(verdict);
        if (m_end) {
            co_return true;
        }
        if (!isItsTurn) {
            verdict = tooMany(std::move(verdict));
            const bool isTold = co_await refuse(std::move(verdict));
            co_return isTold;
        }
    }
    ++m_counts.fromClient;
    m_deps.account->heard(verdict);
    if (m_deps.keeper != nullptr && verdict.mayHoldWords) {
        m_deps.keeper->fromClient(message.data, m_deps.clock.wallNow());
    }
    const bool isTaken = co_await passUpOne(std::move(message));
    co_return isTaken;
}

net::Awaitable<bool> RelaySession::mayAsk(const Verdict& verdict)
{
    co_await giveUpSilent();
    while (!m_end && !m_deps.account->mayAsk(verdict.eventId)) {
        if (m_deps.check->refusal(verdict)) {
            co_return false;
        }
        net::Timer pause(m_client->executor(), kBetweenLooks);
        co_await pause.async_wait(asTuple);
    }
    co_return true;
}

net::Awaitable<> RelaySession::giveUpSilent()
{
    std::vector<StreamMeter::Bill> bills = m_deps.account->giveUpSilent();
    for (StreamMeter::Bill& bill : bills) {
        const auto settled = co_await m_deps.account->settle(std::move(bill));
        finishIfOver(settled);
    }
}

void RelaySession::finishIfOver(StreamAccount::Settled settled)
{
    switch (settled) {
    case StreamAccount::Settled::GoesOn:
        break;
    case StreamAccount::Settled::Spent:
        finish(StreamEnd::By::Broker, net::WebSocketClose{closing::kBudgetExhausted, "budget_exhausted"});
        break;
    case StreamAccount::Settled::Unknown:
        finish(StreamEnd::By::Broker, net::WebSocketClose{closing::kTryAgainLater, "unavailable"});
        break;
    }
}

net::Awaitable<bool> RelaySession::passUpOne(Message message)
{
    if (m_upstream->queuedBytes() < kMuchUnsent) {
        const bool isTaken = co_await passOn(*m_upstream, std::move(message));
        co_return isTaken;
    }
    // It may send and not read, and so show signs of life for ever.
    net::Timer deadline(m_client->executor(), m_settings.sendPatience);
    const auto passed = co_await (passOn(*m_upstream, std::move(message)) || deadline.async_wait(asTuple));
    if (const bool* const isTaken = std::get_if<0>(&passed)) {
        co_return *isTaken;
    }
    finish(StreamEnd::By::Provider, net::WebSocketClose{closing::kTryAgainLater, "provider_timeout"});
    co_return true;
}

net::Awaitable<bool> RelaySession::refuse(Verdict verdict)
{
    auto event = m_deps.check->refusal(verdict);
    const bool isTold = co_await m_client->send(std::move(event).value_or(std::string()));
    co_return isTold;
}

net::Awaitable<> RelaySession::passDown()
{
    while (!m_isUpstreamOver) {
        auto message = co_await m_upstream->read();
        if (message) {
            co_await deliver(std::move(*message));
            continue;
        }
        net::WebSocketClose close = std::move(message.error());
        if (m_deps.beginning != nullptr && !m_end) {
            m_refusal = m_deps.beginning->ended(close);
        }
        if (m_refusal) {
            close = withWords(closeOfFailure(*m_refusal), close.reason);
        } else if (close.code == closing::kLost) {
            close = {closing::kTryAgainLater, "provider_lost"};
        }
        finish(StreamEnd::By::Provider, std::move(close));
        m_isUpstreamOver = true;
    }
    m_deps.account->closed();
    m_bell->bill.cancel();
}

net::Awaitable<> RelaySession::deliver(Message message)
{
    // What a client has heard of is in the ledger.
    auto settled = StreamAccount::Settled::GoesOn;
    if (auto bill = heed(message)) {
        settled = co_await m_deps.account->settle(std::move(*bill));
    }
    if (m_end) {
        co_await cancelResponses();
        co_return;
    }
    ++m_counts.fromProvider;
    if (m_deps.beginning != nullptr) {
        m_refusal = m_deps.beginning->read(message.data);
    }
    // Where the client does not take it, whoever reads from it finds out why.
    co_await passOn(*m_client, std::move(message));
    if (m_refusal) {
        finish(StreamEnd::By::Provider, closeOfFailure(*m_refusal));
    }
    finishIfOver(settled);
}

std::optional<StreamMeter::Bill> RelaySession::heed(Message& message)
{
    auto bill = m_deps.account->read(message.data);
    if (m_deps.keeper != nullptr && m_deps.account->mayHoldWords()) {
        m_deps.keeper->fromProvider(message.data, m_deps.clock.wallNow());
    }
    m_deps.check->setBytesPerMillisecond(m_deps.account->inputBytesPerMillisecond());
    if (m_end && !m_deps.account->isBillDue()) {
        m_bell->bill.cancel();
    }
    return bill;
}

net::Awaitable<> RelaySession::closeBoth()
{
    while (!m_end) {
        co_await m_bell->timer.async_wait(asTuple);
    }
    if (m_upstream == nullptr) {
        co_await closeClient();
    } else {
        co_await (closeClient() && closeUpstream());
    }
}

net::Awaitable<> RelaySession::closeClient()
{
    const net::WebSocketClose& told = m_end->close;
    const std::uint16_t code = told.code == closing::kLost ? closing::kNoCode : readable(told.code);
    if (m_end->by != StreamEnd::By::Broker || !isTakenAway(code)) {
        co_await m_client->close(code, told.reason, kFarewell);
        co_return;
    }
    net::Timer last(m_client->executor(), kLongestFarewell);
    co_await (m_client->close(code, told.reason, kFarewell) || last.async_wait(asTuple));
    co_await m_client->close(code, told.reason, core::Milliseconds{0});
}

net::Awaitable<> RelaySession::closeUpstream()
{
    co_await hearTheBill();
    // A provider has nothing to do with why we end a session.
    net::WebSocketClose up{closing::kNormal, {}};
    if (m_end->by == StreamEnd::By::Client) {
        up = m_end->close;
    }
    if (up.code == closing::kLost) {
        up = {closing::kGoingAway, "the client is gone"};
    }
    co_await m_upstream->close(up.code, up.reason, kFarewell);
}

net::Awaitable<> RelaySession::hearTheBill()
{
    if (m_end->by == StreamEnd::By::Provider) {
        co_return;
    }
    m_bell->bill.expires_after(m_settings.billPatience);
    co_await cancelResponses();
    while (m_deps.account->isBillDue() && !m_isUpstreamOver && m_bell->bill.expiry() > Clock::now()) {
        co_await m_bell->bill.async_wait(asTuple);
    }
}

net::Awaitable<> RelaySession::cancelResponses()
{
    std::vector<std::string> events = m_deps.account->cancellations();
    net::Timer deadline(m_client->executor(), m_settings.billPatience);
    for (std::string& event : events) {
        co_await (m_upstream->send(std::move(event)) || deadline.async_wait(asTuple));
    }
}

void RelaySession::finish(StreamEnd::By by, net::WebSocketClose close)
{
    if (m_end) {
        return;
    }
    m_end = StreamEnd{by, std::move(close)};
    m_bell->timer.cancel();
}

void RelaySession::end(net::WebSocketClose close)
{
    const std::lock_guard lock(m_mutex);
    if (m_wanted) {
        return;
    }
    m_wanted = std::move(close);
    if (m_executor) {
        asio::post(*m_executor,
            [self = shared_from_this(), wanted = *m_wanted] { self->finish(StreamEnd::By::Broker, wanted); });
    }
}

bool RelaySession::isToldToEnd()
{
    const std::lock_guard lock(m_mutex);
    return m_wanted.has_value();
}

void RelaySession::endIfOver(core::WallTime now)
{
    const core::WallTime expiresAt = m_expiresAt.load();
    // A token says whole seconds: the last one of a session runs out up to a second before it.
    const bool isLast = m_record.endsAt && expiresAt >= std::chrono::floor<std::chrono::seconds>(*m_record.endsAt);
    if ((m_record.endsAt && now >= *m_record.endsAt) || (isLast && now >= expiresAt)) {
        end({closing::kSessionTooLong, "session_too_long"});
    } else if (now >= expiresAt) {
        end({closing::kTokenExpired, "token_expired"});
    }
}

} // namespace vivavoce::broker::relay
