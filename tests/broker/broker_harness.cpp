#include "tests/broker/broker_harness.h"

#include "core/base/json.h"
#include "net/timer.h"
#include "tests/broker/mint_check.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <stdexcept>

namespace vivavoce::tests {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using net::asTuple;
using Acceptor = asio::basic_socket_acceptor<tcp, net::IoExecutor>;
using Socket = asio::basic_stream_socket<tcp, net::IoExecutor>;
constexpr std::chrono::seconds kPatience{20};

net::Awaitable<> serveRaw(Socket socket, std::shared_ptr<const std::string> bytes)
{
    asio::streambuf head;
    co_await asio::async_read_until(socket, head, "\r\n\r\n", asTuple);
    if (bytes->empty()) {
        // Until the other side gives up.
        char more = 0;
        bool isOver = false;
        while (!isOver) {
            const auto [error, size] = co_await socket.async_read_some(asio::buffer(&more, 1), asTuple);
            isOver = static_cast<bool>(error);
        }
        co_return;
    }
    co_await asio::async_write(socket, asio::buffer(*bytes), asTuple);
}

net::Awaitable<> acceptRaw(std::shared_ptr<Acceptor> acceptor, std::shared_ptr<const std::string> bytes)
{
    while (true) {
        auto [error, socket] = co_await acceptor->async_accept(acceptor->get_executor(), asTuple);
        if (error) {
            co_return;
        }
        const auto executor = socket.get_executor();
        asio::co_spawn(executor, serveRaw(std::move(socket), bytes), asio::detached);
    }
}

} // namespace

void NetThreads::stop()
{
    m_threads.stop();
    m_threads.join();
}

void CapturedLog::write(broker::LogLevel level, std::string_view event, const nlohmann::json& fields)
{
    const std::lock_guard lock(m_mutex);
    if (!m_failing.empty() && event == m_failing) {
        m_failing.clear();
        throw std::runtime_error("a secret in an exception");
    }
    m_lines.emplace_back(level, std::string(event) + " " + core::writeJson(fields) + "\n");
}

void CapturedLog::failOnceAt(std::string event)
{
    const std::lock_guard lock(m_mutex);
    m_failing = std::move(event);
}

std::string CapturedLog::text(broker::LogLevel atMost) const
{
    const std::lock_guard lock(m_mutex);
    std::string text;
    for (const auto& [level, line] : m_lines) {
        text += level <= atMost ? line : std::string();
    }
    return text;
}

ScriptedProvider::ScriptedProvider(NetThreads& threads, const SharedClock& clock) : m_clock(clock)
{
    net::Router router;
    router.add(
        "POST", "/v1/realtime/client_secrets", [this](const net::HttpRequest& request) { return mint(request); });
    auto made = net::Server::create({threads.executor()}, {}, std::move(router));
    if (!made) {
        throw std::runtime_error(made.error().detail);
    }
    m_server = std::move(*made);
    m_server->start();
}

net::Awaitable<net::HttpResponse> ScriptedProvider::mint(const net::HttpRequest& request)
{
    std::shared_ptr<broker::Flight> gate;
    {
        const std::lock_guard lock(m_mutex);
        m_requests.push_back(request);
        gate = m_gate;
    }
    if (gate != nullptr) {
        co_await gate->wait(kPatience);
    }
    const std::lock_guard lock(m_mutex);
    if (m_answer) {
        co_return *m_answer;
    }
    if (auto refusal = refusalOfMint(request)) {
        co_return std::move(*refusal);
    }
    const auto body = core::parseJson(request.body);
    const std::int64_t life = body ? (*body)["expires_after"].value("seconds", std::int64_t(600)) : 600;
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(m_clock.wallNow().time_since_epoch()).count();
    co_return net::HttpResponse::json(
        200, core::writeJson({{"value", "ek_marker_" + std::to_string(++m_minted)}, {"expires_at", now + life}}));
}

void ScriptedProvider::answerWith(std::optional<net::HttpResponse> response)
{
    const std::lock_guard lock(m_mutex);
    m_answer = std::move(response);
}

void ScriptedProvider::hold()
{
    const std::lock_guard lock(m_mutex);
    m_gate = std::make_shared<broker::Flight>();
}

void ScriptedProvider::release()
{
    std::shared_ptr<broker::Flight> gate;
    {
        const std::lock_guard lock(m_mutex);
        gate.swap(m_gate);
    }
    gate->land({});
}

std::vector<net::HttpRequest> ScriptedProvider::requests() const
{
    const std::lock_guard lock(m_mutex);
    return m_requests;
}

RawProvider::RawProvider(NetThreads& threads, std::string bytes)
{
    const net::IoExecutor executor = threads.executor();
    const auto acceptor = std::make_shared<Acceptor>(executor, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    m_url = "http://127.0.0.1:" + std::to_string(acceptor->local_endpoint().port());
    asio::co_spawn(
        executor, acceptRaw(acceptor, std::make_shared<const std::string>(std::move(bytes))), asio::detached);
}

BrokerWorld::BrokerWorld(const std::function<void(broker::Config&)>& change, const std::string& providerUrl)
    : provider(threads, clock), m_change(change), m_providerUrl(providerUrl.empty() ? provider.url() : providerUrl)
{
    auto made = broker::Broker::create(config(), core::Secret(kCredential), {threads.executors(), clock, log});
    if (!made) {
        throw std::runtime_error(made.error().detail);
    }
    m_broker = std::move(*made);
    m_broker->start();
}

broker::Config BrokerWorld::config() const
{
    broker::Config config;
    config.port = 0;
    config.isEmbedded = true;
    config.databaseUrl = core::Secret("sqlite://:memory:");
    // As it is for the app's own broker.
    config.sessionsPerUser = config.maxSessions;
    config.violationsToBlock = 0;
    config.providerUrl = m_providerUrl;
    config.providerKey = core::Secret(kProviderKey);
    if (m_change) {
        m_change(config);
    }
    return config;
}

std::string BrokerWorld::reload(const std::function<void(broker::Config&)>& change)
{
    broker::Config wanted = config();
    change(wanted);
    return take(std::move(wanted));
}

std::string BrokerWorld::reloadFailing(core::Error error)
{
    return take(core::Unexpected<core::Error>(std::move(error)));
}

std::string BrokerWorld::take(core::Expected<broker::Config, core::Error> wanted)
{
    const auto taken = asio::co_spawn(threads.executor(), m_broker->reload(std::move(wanted)), asio::use_future).get();
    return taken ? std::string() : taken.error().detail;
}

BrokerWorld::~BrokerWorld()
{
    // Nobody may run in the broker while it goes.
    threads.stop();
}

std::future<net::ClientResponse> BrokerWorld::begin(net::ClientRequest request)
{
    return asio::co_spawn(
        threads.executor(),
        [](net::ClientRequest wanted) -> net::Awaitable<net::ClientResponse> {
            auto answer = co_await net::sendRequest(std::move(wanted));
            co_return answer ? std::move(*answer) : net::ClientResponse{};
        }(std::move(request)),
        asio::use_future);
}

net::ClientResponse BrokerWorld::wait(std::future<net::ClientResponse> answer)
{
    return answer.wait_for(kPatience) == std::future_status::ready ? answer.get() : net::ClientResponse{};
}

net::ClientRequest BrokerWorld::request(std::string method, const std::string& path, std::string body) const
{
    net::ClientRequest request;
    request.method = std::move(method);
    request.url = url() + path;
    request.timeout = kPatience;
    if (request.method == "POST") {
        request.headers.add("Content-Type", "application/json");
    }
    request.body = std::move(body);
    return request;
}

net::ClientRequest BrokerWorld::mintRequest(std::string body) const
{
    auto result = request("POST", "/api/voice-agent/token", std::move(body));
    result.headers.add("Authorization", std::string("Bearer ") + kCredential);
    return result;
}

net::ClientRequest BrokerWorld::refreshRequest(std::string_view token, const std::string& idempotencyKey) const
{
    auto result = request("POST", "/api/voice-agent/refresh-token", R"({"clientInstance":"one"})");
    result.headers.add("Authorization", "Bearer " + std::string(token));
    if (!idempotencyKey.empty()) {
        result.headers.add("Idempotency-Key", idempotencyKey);
    }
    return result;
}

core::broker::TokenResponse BrokerWorld::mint(std::string body)
{
    return tokenOf(send(mintRequest(std::move(body))));
}

void BrokerWorld::drain(core::Milliseconds deadline)
{
    asio::co_spawn(threads.executor(), m_broker->drain(deadline), asio::use_future).wait();
}

core::broker::TokenResponse tokenOf(const net::ClientResponse& answer)
{
    auto token = core::broker::decodeTokenResponse(answer.body);
    return token ? std::move(*token) : core::broker::TokenResponse{};
}

std::string codeOf(const net::ClientResponse& answer)
{
    const auto problem = core::broker::decodeProblem(answer.body);
    return problem && problem->status == static_cast<int>(answer.status) ? problem->code : std::string();
}

std::string header(const net::ClientResponse& answer, std::string_view name)
{
    return answer.headers.count(name) == 1 ? std::string(*answer.headers.find(name)) : std::string();
}

} // namespace vivavoce::tests
