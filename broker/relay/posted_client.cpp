#include "broker/relay/posted_client.h"

#include "broker/relay/close_codes.h"
#include "core/base/json.h"
#include "net/run_on.h"
#include "net/timer.h"

#include <nlohmann/json.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker::relay {
namespace {

namespace asio = boost::asio;
using namespace boost::asio::experimental::awaitable_operators;
using Clock = std::chrono::steady_clock;
using Read = core::Expected<net::WebSocketMessage, net::WebSocketClose>;

using net::asTuple;
/// So much goes to a listener at a time, at least one event.
constexpr std::size_t kBatchBytes = 64 * 1024;

/// Each of its lines as a field of its own: a line's end would end the field.
void addData(std::string& text, std::string_view data)
{
    std::size_t from = 0;
    while (from <= data.size()) {
        const std::size_t end = std::min(data.find_first_of("\r\n", from), data.size());
        text += "data: ";
        text += data.substr(from, end - from);
        text += '\n';
        from = end + 1;
    }
}

} // namespace

PostedClient::PostedClient(net::IoExecutor executor, Limits limits, std::string name)
    : m_executor(std::move(executor)),
      m_limits(limits),
      m_name(std::move(name)),
      m_bell(m_executor, std::chrono::steady_clock::time_point::max())
{
}

net::Awaitable<> PostedClient::change()
{
    co_await m_bell.async_wait(asTuple);
}

net::Awaitable<> PostedClient::change(core::Milliseconds patience)
{
    net::Timer timer(m_executor, patience);
    co_await (timer.async_wait(asTuple) || m_bell.async_wait(asTuple));
}

net::Awaitable<bool> PostedClient::say(std::vector<std::string> messages)
{
    const bool isSaid = co_await net::runOn(m_executor, sayHere(std::move(messages)));
    co_return isSaid;
}

net::Awaitable<bool> PostedClient::sayHere(std::vector<std::string> messages)
{
    m_lastSign = Clock::now();
    while (!m_end && m_saidBytes > m_limits.queueBytes) {
        co_await change();
    }
    if (m_end) {
        co_return false;
    }
    for (std::string& message : messages) {
        m_saidBytes += message.size();
        m_said.push_back(std::move(message));
    }
    ring();
    co_return true;
}

net::Awaitable<Read> PostedClient::read()
{
    while (m_said.empty() && !m_end) {
        co_await change(m_limits.silence);
        if (!m_isHeard && Clock::now() - m_lastSign >= m_limits.silence) {
            finish({closing::kLost, "nobody listens"});
        }
    }
    if (m_end) {
        co_return core::Unexpected<net::WebSocketClose>(*m_end);
    }
    net::WebSocketMessage message{net::WebSocketMessage::Kind::Text, std::move(m_said.front())};
    m_said.pop_front();
    m_saidBytes -= message.data.size();
    ring();
    co_return std::move(message);
}

net::Awaitable<bool> PostedClient::send(std::string text)
{
    if (!m_end) {
        add({}, text);
    }
    while (!m_end && m_unfetchedBytes > m_limits.queueBytes) {
        co_await change();
    }
    co_return !m_end;
}

net::Awaitable<bool> PostedClient::sendBinary(std::string bytes)
{
    const bool isTaken = co_await send(std::move(bytes));
    co_return isTaken;
}

net::Awaitable<> PostedClient::close(std::uint16_t code, std::string reason, core::Milliseconds /*patience*/)
{
    finish({code, std::move(reason)});
    co_return;
}

void PostedClient::hangUp(net::WebSocketClose close)
{
    asio::post(m_executor, [self = shared_from_this(), close = std::move(close)]() mutable {
        self->m_isAbandoned = true;
        self->finish(std::move(close));
        self->ring();
    });
}

void PostedClient::finish(net::WebSocketClose close)
{
    if (m_end) {
        return;
    }
    add("close", core::writeJson(core::Json{{"code", close.code}, {"reason", close.reason}}));
    m_end = std::move(close);
    m_isOver = true;
    ring();
}

void PostedClient::add(std::string_view name, std::string_view data)
{
    ++m_lastId;
    Event event{m_lastId, "id: " + m_name + '-' + std::to_string(m_lastId) + '\n'};
    if (!name.empty()) {
        event.text.append("event: ").append(name).append("\n");
    }
    addData(event.text, data);
    event.text += '\n';
    m_unfetchedBytes += event.text.size();
    m_events.push_back(std::move(event));
    ring();
}

net::Awaitable<> PostedClient::tell(net::BodyWriter& body, std::optional<EventId> lastSeen)
{
    /// However this ends.
    struct Listening {
        Listening(std::shared_ptr<PostedClient> who, std::uint64_t number) : client(std::move(who)), listener(number) {}
        ~Listening()
        {
            asio::post(client->m_executor, [who = client, number = listener] { who->leave(number); });
        }
        Listening(const Listening&) = delete;
        Listening& operator=(const Listening&) = delete;
        std::shared_ptr<PostedClient> client;
        std::uint64_t listener;
    };
    const std::uint64_t listener = co_await net::runOn(m_executor, beginListening(std::move(lastSeen)));
    const Listening listening(shared_from_this(), listener);
    bool goesOn = true;
    while (goesOn) {
        Batch batch = co_await net::runOn(m_executor, next(listener));
        const bool isRead = co_await body.write(std::move(batch.text));
        goesOn = isRead && !batch.isLast;
    }
}

net::Awaitable<std::uint64_t> PostedClient::beginListening(std::optional<EventId> lastSeen)
{
    m_cursor = m_fetched;
    if (lastSeen && lastSeen->stream != m_name) {
        // Of the session's stream before this one: whoever had that has had nothing of this one.
        m_cursor = 0;
    } else if (lastSeen) {
        // A number that nobody was told is no number of ours.
        m_cursor = std::min(lastSeen->number, m_fetched);
    }
    m_isHeard = true;
    ++m_listener;
    ring();
    co_return m_listener;
}

void PostedClient::leave(std::uint64_t listener)
{
    if (listener == m_listener) {
        m_isHeard = false;
        m_lastSign = Clock::now();
        ring();
    }
}

net::Awaitable<PostedClient::Batch> PostedClient::next(std::uint64_t listener)
{
    const auto heartbeatAt = Clock::now() + m_limits.heartbeat;
    while (listener == m_listener && m_cursor == m_lastId && !m_end) {
        const auto left = std::chrono::ceil<core::Milliseconds>(heartbeatAt - Clock::now());
        if (left <= core::Milliseconds{0}) {
            co_return Batch{": \n\n", false};
        }
        co_await change(left);
    }
    if (listener != m_listener) {
        co_return Batch{{}, true};
    }
    co_return fetch();
}

PostedClient::Batch PostedClient::fetch()
{
    Batch batch;
    const auto after = [this](const Event& event) { return event.id > m_cursor; };
    auto event = std::find_if(m_events.begin(), m_events.end(), after);
    if (event != m_events.end() && event->id > m_cursor + 1) {
        // What came between is not kept any more, and nobody is to believe that it was never said.
        batch.text = "event: gap\ndata: " + std::to_string(event->id - m_cursor - 1) + "\n\n";
    }
    for (; event != m_events.end() && batch.text.size() < kBatchBytes; ++event) {
        batch.text += event->text;
        m_cursor = event->id;
        if (event->id > m_fetched) {
            m_fetched = event->id;
            m_unfetchedBytes -= event->text.size();
            m_fetchedBytes += event->text.size();
        }
    }
    while (m_fetchedBytes > m_limits.queueBytes && !m_events.empty() && m_events.front().id <= m_cursor) {
        m_fetchedBytes -= m_events.front().text.size();
        m_events.pop_front();
    }
    batch.isLast = m_end && m_cursor == m_lastId;
    ring();
    return batch;
}

net::Awaitable<> PostedClient::farewell(core::Milliseconds patience)
{
    const auto until = Clock::now() + patience;
    while (m_fetched < m_lastId && !m_isAbandoned && Clock::now() < until) {
        co_await change(std::chrono::ceil<core::Milliseconds>(until - Clock::now()));
    }
}

} // namespace vivavoce::broker::relay
