#include "tests/broker/relay_harness.h"

#include "tests/broker/mint_check.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <stdexcept>

namespace vivavoce::tests {
namespace {

namespace asio = boost::asio;
using net::test::kTestPatience;

} // namespace

/// However serve ends: by a crash of the server, it does in the middle, and the line outlives the context.
struct Line::Held {
    explicit Held(Line& ours) : line(ours) {}
    ~Held()
    {
        const std::lock_guard lock(line.m_mutex);
        line.m_session = nullptr;
        line.m_executor.reset();
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    Line& line;
};

net::Awaitable<> Line::serve(net::WebSocketSession& session)
{
    const Held held(*this);
    {
        const std::lock_guard lock(m_mutex);
        m_session = &session;
        m_executor = session.executor();
        m_wasOpen = true;
        m_changed.notify_all();
    }
    bool goesOn = true;
    while (goesOn) {
        bool isPaused = false;
        {
            const std::lock_guard lock(m_mutex);
            isPaused = m_isPaused;
        }
        if (isPaused) {
            co_await net::test::after(core::Milliseconds(20));
            continue;
        }
        auto message = co_await session.read();
        const std::lock_guard lock(m_mutex);
        if (message) {
            m_read.push_back(std::move(*message));
        } else {
            m_end = std::move(message.error());
            m_session = nullptr;
            goesOn = false;
        }
        m_changed.notify_all();
    }
    bool isBusy = true;
    while (isBusy) {
        {
            const std::lock_guard lock(m_mutex);
            isBusy = m_underWay > 0;
        }
        if (isBusy) {
            co_await net::test::after(core::Milliseconds(1));
        }
    }
}

net::WebSocketSession* Line::enter()
{
    const std::lock_guard lock(m_mutex);
    m_underWay += m_session != nullptr ? 1 : 0;
    return m_session;
}

void Line::leave()
{
    const std::lock_guard lock(m_mutex);
    --m_underWay;
    m_changed.notify_all();
}

net::Awaitable<> Line::sendNow(Message message)
{
    net::WebSocketSession* const session = enter();
    if (session == nullptr) {
        co_return;
    }
    bool isTaken = false;
    if (message.kind == Message::Kind::Text) {
        isTaken = co_await session->send(std::move(message.data));
    } else {
        isTaken = co_await session->sendBinary(std::move(message.data));
    }
    {
        const std::lock_guard lock(m_mutex);
        m_taken += isTaken ? 1 : 0;
    }
    leave();
}

net::Awaitable<> Line::closeNow(std::uint16_t code, std::string reason)
{
    net::WebSocketSession* const session = enter();
    if (session != nullptr) {
        co_await session->close(code, std::move(reason));
        leave();
    }
}

std::optional<net::IoExecutor> Line::here()
{
    const std::lock_guard lock(m_mutex);
    return m_executor;
}

void Line::sendMessage(Message message)
{
    waitUntilOpen();
    if (const auto executor = here()) {
        asio::co_spawn(*executor, sendNow(std::move(message)), asio::detached);
    }
}

void Line::close(std::uint16_t code, std::string reason)
{
    waitUntilOpen();
    if (const auto executor = here()) {
        asio::co_spawn(*executor, closeNow(code, std::move(reason)), asio::detached);
    }
}

Line::Message Line::nextMessage()
{
    std::unique_lock lock(m_mutex);
    if (!m_changed.wait_for(lock, kTestPatience, [this] { return !m_read.empty(); })) {
        throw std::runtime_error("no message came");
    }
    Message message = std::move(m_read.front());
    m_read.pop_front();
    return message;
}

std::optional<std::string> Line::nextOrEnd()
{
    std::unique_lock lock(m_mutex);
    m_changed.wait_for(lock, kTestPatience, [this] { return !m_read.empty() || m_end.has_value(); });
    if (m_read.empty()) {
        return std::nullopt;
    }
    std::string text = std::move(m_read.front().data);
    m_read.pop_front();
    return text;
}

net::WebSocketClose Line::end()
{
    std::unique_lock lock(m_mutex);
    if (!m_changed.wait_for(lock, kTestPatience, [this] { return m_end.has_value(); })) {
        throw std::runtime_error("the stream did not end");
    }
    return *m_end;
}

std::size_t Line::pending()
{
    const std::lock_guard lock(m_mutex);
    return m_read.size();
}

std::size_t Line::taken()
{
    const std::lock_guard lock(m_mutex);
    return m_taken;
}

void Line::pause()
{
    const std::lock_guard lock(m_mutex);
    m_isPaused = true;
}

void Line::resume()
{
    const std::lock_guard lock(m_mutex);
    m_isPaused = false;
}

void Line::waitUntilOpen()
{
    std::unique_lock lock(m_mutex);
    if (!m_changed.wait_for(lock, kTestPatience, [this] { return m_wasOpen; })) {
        throw std::runtime_error("the stream did not begin");
    }
}

ScriptedUpstream::ScriptedUpstream()
{
    net::Router router;
    net::test::addPlain(router, "POST", "/v1/realtime/client_secrets", [](const net::HttpRequest& request) {
        if (auto refusal = refusalOfMint(request)) {
            return std::move(*refusal);
        }
        return net::HttpResponse::json(200, core::Json({{"value", "ek_pinned"}, {"expires_at", 1'800'000'600}}).dump());
    });
    net::test::addPlain(router, "POST", "/v1beta/auth_tokens",
        [](const net::HttpRequest&) { return net::HttpResponse::json(200, R"({"name":"auth_tokens/pinned"})"); });
    for (const char* const path : {"/v1/realtime", kGeminiPath, kPinnedGeminiPath}) {
        router.addWebSocket(path, [this](const net::HttpRequest& request) { return admit(request); });
    }
    m_server = std::make_unique<net::test::TestServer>(std::move(router));
}

net::Awaitable<core::Expected<net::WebSocketAccept, net::HttpResponse>> ScriptedUpstream::admit(
    const net::HttpRequest& request)
{
    std::shared_ptr<broker::Flight> gate;
    {
        const std::lock_guard lock(m_mutex);
        m_request = request;
        gate = m_gate;
    }
    if (gate != nullptr) {
        const auto landed = co_await gate->wait(kTestPatience);
        static_cast<void>(landed);
    }
    net::WebSocketAccept accept;
    accept.maxMessageBytes = 16 * 1024 * 1024;
    accept.run = [this](net::WebSocketSession& session) -> net::Awaitable<> {
        const auto line = std::make_shared<Line>();
        {
            const std::lock_guard lock(m_mutex);
            m_waiting.push_back(line);
            ++m_opened;
            m_changed.notify_all();
        }
        co_await line->serve(session);
    };
    co_return std::move(accept);
}

std::shared_ptr<Line> ScriptedUpstream::next()
{
    std::unique_lock lock(m_mutex);
    if (!m_changed.wait_for(lock, kTestPatience, [this] { return !m_waiting.empty(); })) {
        throw std::runtime_error("nobody opened a session");
    }
    auto line = std::move(m_waiting.front());
    m_waiting.pop_front();
    return line;
}

std::size_t ScriptedUpstream::opened()
{
    const std::lock_guard lock(m_mutex);
    return m_opened;
}

void ScriptedUpstream::hold()
{
    const std::lock_guard lock(m_mutex);
    m_gate = std::make_shared<broker::Flight>();
}

void ScriptedUpstream::release()
{
    const std::lock_guard lock(m_mutex);
    std::exchange(m_gate, nullptr)->land({});
}

net::HttpRequest ScriptedUpstream::request()
{
    const std::lock_guard lock(m_mutex);
    return m_request;
}

StreamClient::StreamClient(net::WebSocketRequest request)
{
    using Opened = core::Expected<std::unique_ptr<net::WebSocketSession>, core::Error>;
    // One executor for the opening and the session.
    const auto executor = m_loop.executor();
    auto opening = asio::co_spawn(executor, net::openWebSocket(std::move(request)), asio::use_future);
    Opened opened = net::test::Loop::finished(opening);
    if (!opened) {
        m_status = opened.error().foreignCode.empty() ? 0 : std::stoi(opened.error().foreignCode);
        return;
    }
    m_status = 101;
    *m_session = std::move(*opened);
    m_served = asio::co_spawn(
        executor, [line = m_line, session = m_session]() { return line->serve(**session); }, asio::use_future);
}

StreamClient::~StreamClient()
{
    if (m_status == 101) {
        drop();
        m_served.wait_for(kTestPatience);
    }
}

void StreamClient::drop()
{
    m_line->waitUntilOpen();
    m_line->resume();
    auto closing = asio::co_spawn((*m_session)->executor(),
        [session = m_session]() -> net::Awaitable<> {
            // No time for a farewell.
            co_await (*session)->close(1001, {}, core::Milliseconds(0));
        },
        asio::use_future);
    closing.wait_for(kTestPatience);
}

RelayWorld::RelayWorld(const std::function<void(broker::Config&)>& change)
    : operators([this, change](broker::Config& config) {
          config.providerUrl = config.geminiUrl = upstream.url();
          if (change) {
              change(config);
          }
      })
{
}

core::broker::TokenResponse RelayWorld::session(const std::string& body, const std::string& user)
{
    return tokenOf(operators.as(operators.user(user), "POST", "/api/voice/session", body));
}

net::WebSocketRequest RelayWorld::streamRequest(std::string_view token) const
{
    net::WebSocketRequest request;
    request.url = "ws" + operators.broker.url().substr(4) + "/api/voice/stream";
    if (!token.empty()) {
        request.headers.add("Authorization", "Bearer " + std::string(token));
    }
    return request;
}

std::unique_ptr<StreamClient> RelayWorld::open(const core::broker::TokenResponse& session)
{
    auto client = std::make_unique<StreamClient>(streamRequest(session.token.reveal()));
    client->line().waitUntilOpen();
    return client;
}

} // namespace vivavoce::tests
