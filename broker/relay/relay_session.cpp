#include "broker/relay/relay_session.h"

#include "broker/relay/internal/message_scan.h"
#include "core/base/json.h"
#include "core/base/random_id.h"

#include <nlohmann/json.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace vivavoce::broker::relay {
namespace {

namespace asio = boost::asio;
using namespace boost::asio::experimental::awaitable_operators;
using core::ErrorCode;
using Message = net::WebSocketMessage;
using Opened = core::Expected<std::unique_ptr<net::WebSocketSession>, core::Error>;

constexpr auto asTuple = asio::as_tuple(asio::use_awaitable);
/// Both sides hear of the end within a second.
constexpr core::Milliseconds kFarewell{500};
constexpr std::uint16_t kNoCode = 1005;
constexpr std::uint16_t kLost = 1006;

/// The client may try again at once, later, or has to be told that it is of no use.
net::WebSocketClose closeOfFailure(const core::Error& error)
{
    switch (error.code) {
    case ErrorCode::ProviderRefused:
    case ErrorCode::ProviderMalformed:
    case ErrorCode::ProviderQuota:
    case ErrorCode::BadUsage:
        return {closing::kInternal, std::string(faultRow(faultOfProvider(error).code).text)};
    default:
        return {closing::kTryAgainLater, std::string(faultRow(faultOfProvider(error).code).text)};
    }
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

/// As the provider would have said it.
std::string errorEvent(const Verdict& verdict)
{
    core::Json error{{"type", "invalid_request_error"}, {"code", verdict.code}, {"param", verdict.field},
        {"message", "The operator does not let a session change this."}};
    error["event_id"] = verdict.eventId.empty() ? core::Json(nullptr) : core::Json(verdict.eventId);
    return core::writeJson(
        core::Json{{"type", "error"}, {"event_id", "event_" + core::randomId()}, {"error", std::move(error)}});
}

} // namespace

/// Never runs out.
struct RelaySession::Bell {
    explicit Bell(const net::IoExecutor& executor) : timer(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer timer;
};

RelaySession::RelaySession(LiveSession session, Locks locks, Settings settings, Dependencies dependencies)
    : m_record(std::move(session.record)),
      m_settings(settings),
      m_deps(std::move(dependencies)),
      m_check(std::move(locks)),
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
    co_await open(std::move(dial));
    if (m_upstream != nullptr) {
        co_await (passUp() && passDown() && closeBoth());
    } else {
        co_await closeBoth();
    }
    m_client = nullptr;
    co_return *m_end;
}

net::Awaitable<> RelaySession::open(Dial dial)
{
    asio::steady_timer deadline(m_client->executor(), m_settings.dialPatience);
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
    Verdict verdict = m_check.look(message);
    if (verdict.kind == Verdict::Kind::End) {
        finish(StreamEnd::By::Broker, net::WebSocketClose{closing::kPolicyViolation, std::string(verdict.code)});
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
    ++m_counts.fromClient;
    m_deps.account->heard(verdict.audio);
    const bool isTaken = co_await passOn(*m_upstream, std::move(message));
    co_return isTaken;
}

net::Awaitable<bool> RelaySession::refuse(Verdict verdict)
{
    std::string event = errorEvent(verdict);
    const bool isTold = co_await m_client->send(std::move(event));
    co_return isTold;
}

net::Awaitable<> RelaySession::passDown()
{
    bool goesOn = true;
    while (goesOn) {
        auto message = co_await m_upstream->read();
        if (!message) {
            net::WebSocketClose close = std::move(message.error());
            if (close.code == kLost) {
                close = {closing::kTryAgainLater, "provider_lost"};
            }
            finish(StreamEnd::By::Provider, std::move(close));
            co_return;
        }
        ++m_counts.fromProvider;
        // What a client has heard of is in the ledger.
        bool isAffordable = true;
        if (auto bill = heed(*message)) {
            isAffordable = co_await m_deps.account->settle(std::move(*bill));
        }
        goesOn = co_await passOn(*m_client, std::move(*message));
        if (!isAffordable) {
            finish(StreamEnd::By::Broker, net::WebSocketClose{closing::kBudgetExhausted, "budget_exhausted"});
        }
    }
}

std::optional<SessionMeter::Bill> RelaySession::heed(Message& message)
{
    const MessageScan scan = scanMessage(message.data);
    auto bill = m_deps.account->read(scan, message.data);
    m_check.setBytesPerMillisecond(m_deps.account->inputBytesPerMillisecond());
    return bill;
}

net::Awaitable<> RelaySession::closeBoth()
{
    while (!m_end) {
        co_await m_bell->timer.async_wait(asTuple);
    }
    const net::WebSocketClose& told = m_end->close;
    if (m_upstream == nullptr) {
        co_await m_client->close(told.code, told.reason, kFarewell);
        co_return;
    }
    // A provider has nothing to do with why we end a session.
    net::WebSocketClose up{1000, {}};
    if (m_end->by == StreamEnd::By::Client) {
        up = told.code == kLost ? net::WebSocketClose{1001, "the client is gone"} : told;
    }
    co_await (m_client->close(told.code == kLost ? kNoCode : told.code, told.reason, kFarewell)
        && m_upstream->close(up.code, up.reason, kFarewell));
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

void RelaySession::endIfOver(core::WallTime now)
{
    if (m_record.endsAt && now >= *m_record.endsAt) {
        end({closing::kSessionTooLong, "session_too_long"});
    } else if (now >= m_expiresAt.load()) {
        end({closing::kTokenExpired, "token_expired"});
    }
}

} // namespace vivavoce::broker::relay
