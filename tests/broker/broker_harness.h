#pragma once

#include "broker/broker.h"
#include "broker/tokens/flight.h"
#include "core/base/http_headers.h"
#include "core/protocol/broker/messages.h"
#include "net/http_client.h"
#include "net/io_threads.h"
#include "net/server.h"

#include <atomic>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vivavoce::tests {

/// Threads for everything that a test of the broker runs. Joined when it goes.
class NetThreads {
public:
    NetThreads() { m_threads.start(); }
    /// One and the other in turn.
    [[nodiscard]] net::IoExecutor executor() { return executors()[m_turn++ % kThreads]; }
    [[nodiscard]] std::vector<net::IoExecutor> executors() const { return m_threads.executors(); }
    void stop();

private:
    static constexpr std::size_t kThreads = 2;
    net::IoThreads m_threads{kThreads};
    std::atomic<std::size_t> m_turn{0};
};

/// Clocks that the test moves while other threads read them.
class SharedClock final : public core::Clock {
public:
    [[nodiscard]] core::MonotonicTime now() const override
    {
        return core::MonotonicTime(core::Milliseconds(360'000'000 + m_ms));
    }
    [[nodiscard]] core::WallTime wallNow() const override
    {
        return core::WallTime(std::chrono::seconds(1'800'000'000) + core::Milliseconds(m_ms));
    }
    void advance(core::Milliseconds by) { m_ms += by.count(); }

private:
    std::atomic<std::int64_t> m_ms{0};
};

class CapturedLog final : public broker::Log {
public:
    void write(broker::LogLevel level, std::string_view event, const nlohmann::json& fields) override;
    /// The next line of that event is not written: it throws.
    void failOnceAt(std::string event);
    /// All lines as text; those of that level and more important ones.
    [[nodiscard]] std::string text(broker::LogLevel atMost = broker::LogLevel::Debug) const;

private:
    mutable std::mutex m_mutex;
    std::string m_failing;
    std::vector<std::pair<broker::LogLevel, std::string>> m_lines;
};

/// A provider that mints "ek_marker_1", "ek_marker_2", …, refuses what OpenAI would, or answers what the test says.
class ScriptedProvider {
public:
    ScriptedProvider(NetThreads& threads, const SharedClock& clock);
    [[nodiscard]] std::string url() const { return m_server->url(); }
    /// Answers the next requests with this instead of a token, until cleared.
    void answerWith(std::optional<net::HttpResponse> response);
    /// Requests wait from now on until `release`.
    void hold();
    void release();
    [[nodiscard]] std::vector<net::HttpRequest> requests() const;

private:
    net::Awaitable<net::HttpResponse> mint(const net::HttpRequest& request);

    const SharedClock& m_clock;
    mutable std::mutex m_mutex;
    std::optional<net::HttpResponse> m_answer;
    std::shared_ptr<broker::Flight> m_gate;
    std::vector<net::HttpRequest> m_requests;
    int m_minted = 0;
    std::unique_ptr<net::Server> m_server;
};

/// A listener that answers each connection with these bytes and closes it; with no bytes it says nothing and stays.
class RawProvider {
public:
    RawProvider(NetThreads& threads, std::string bytes);
    [[nodiscard]] std::string url() const { return m_url; }

private:
    std::string m_url;
};

/// The real broker on loopback with a client.
class BrokerWorld {
public:
    static constexpr const char* kCredential = "credential-marker";
    static constexpr const char* kProviderKey = "provider-key-marker";
    using Answer = net::ClientResponse;

    /// `change` sees the configuration before the broker is made. Without `providerUrl`, the scripted one is used.
    explicit BrokerWorld(const std::function<void(broker::Config&)>& change = {}, const std::string& providerUrl = {});
    ~BrokerWorld();

    [[nodiscard]] std::future<Answer> begin(net::ClientRequest request);
    [[nodiscard]] static Answer wait(std::future<Answer> answer);
    [[nodiscard]] Answer send(net::ClientRequest request) { return wait(begin(std::move(request))); }
    /// A good request that a test then spoils.
    [[nodiscard]] net::ClientRequest request(std::string method, const std::string& path, std::string body = {}) const;
    [[nodiscard]] net::ClientRequest mintRequest(std::string body = "{}") const;
    [[nodiscard]] net::ClientRequest refreshRequest(
        std::string_view token, const std::string& idempotencyKey = {}) const;

    [[nodiscard]] core::broker::TokenResponse mint(std::string body = "{}");
    [[nodiscard]] std::string url() const { return m_broker->url(); }
    [[nodiscard]] std::string metricsUrl() const { return m_broker->metricsUrl(); }
    void drain(core::Milliseconds deadline = core::Milliseconds{5'000});
    /// As after a SIGHUP: the configuration that it began with, changed by this as well. The error's text; empty: it is taken.
    [[nodiscard]] std::string reload(const std::function<void(broker::Config&)>& change);
    [[nodiscard]] std::string reloadFailing(core::Error error);

    /// Before the threads: what they leave behind goes with their io_context, and still looks at the time and writes to the log.
    SharedClock clock;
    CapturedLog log;
    NetThreads threads;
    ScriptedProvider provider;

private:
    [[nodiscard]] broker::Config config() const;
    [[nodiscard]] std::string take(core::Expected<broker::Config, core::Error> wanted);

    const std::function<void(broker::Config&)> m_change;
    const std::string m_providerUrl;
    std::unique_ptr<broker::Broker> m_broker;
};

/// The answer as a token or a problem; an empty one where it is neither.
[[nodiscard]] core::broker::TokenResponse tokenOf(const net::ClientResponse& answer);
[[nodiscard]] std::string codeOf(const net::ClientResponse& answer);
[[nodiscard]] std::string header(const net::ClientResponse& answer, std::string_view name);

} // namespace vivavoce::tests
