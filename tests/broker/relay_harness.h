#pragma once

#include "tests/broker/operator_world.h"
#include "tests/net/test_server.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace vivavoce::tests {

/// One end of a WebSocket in a test's hands: what it reads is kept until it is asked for.
/// Threads: `serve` on the session's executor; everything else on the test's.
class Line {
public:
    using Message = net::WebSocketMessage;

    /// Until the session has ended; reads nothing while it is paused.
    [[nodiscard]] net::Awaitable<> serve(net::WebSocketSession& session);

    void send(std::string text) { sendMessage({Message::Kind::Text, std::move(text)}); }
    void sendBinary(std::string bytes) { sendMessage({Message::Kind::Binary, std::move(bytes)}); }
    void close(std::uint16_t code, std::string reason);
    /// The next message; throws where none comes.
    [[nodiscard]] std::string next() { return nextMessage().data; }
    [[nodiscard]] Message nextMessage();
    /// The same; nothing once it has ended, or where none comes.
    [[nodiscard]] std::optional<std::string> nextOrEnd();
    /// How it ended.
    [[nodiscard]] net::WebSocketClose end();
    /// What was read and not asked for yet.
    [[nodiscard]] std::size_t pending();
    /// Messages that were sent from here and taken by the session.
    [[nodiscard]] std::size_t taken();
    /// Reads nothing until `resume`.
    void pause();
    void resume();
    void waitUntilOpen();

private:
    struct Held;
    /// While it is open.
    [[nodiscard]] std::optional<net::IoExecutor> here();
    void sendMessage(Message message);
    net::Awaitable<> sendNow(Message message);
    net::Awaitable<> closeNow(std::uint16_t code, std::string reason);
    /// The session, for something that ends with `leave`; nothing once it has ended.
    [[nodiscard]] net::WebSocketSession* enter();
    void leave();

    std::mutex m_mutex;
    std::condition_variable m_changed;
    net::WebSocketSession* m_session = nullptr;
    std::optional<net::IoExecutor> m_executor;
    bool m_wasOpen = false;
    std::deque<Message> m_read;
    std::optional<net::WebSocketClose> m_end;
    std::size_t m_taken = 0;
    /// Sendings and closings that wait in the session, which `serve` keeps alive for them.
    std::size_t m_underWay = 0;
    bool m_isPaused = false;
};

/// Where Gemini's sessions are opened: with a key, and with a token in which something is pinned.
inline constexpr const char* kGeminiPath =
    "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
inline constexpr const char* kPinnedGeminiPath =
    "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContentConstrained";

/// A provider of realtime sessions, OpenAI's and Gemini's, whose end of each is in the test's hands.
class ScriptedUpstream {
public:
    ScriptedUpstream();
    [[nodiscard]] std::string url() const { return m_server->url(""); }
    /// The next session that was opened here.
    [[nodiscard]] std::shared_ptr<Line> next();
    [[nodiscard]] std::size_t opened();
    /// Handshakes wait from now on until `release`.
    void hold();
    void release();
    /// The request of the last handshake.
    [[nodiscard]] net::HttpRequest request();
    /// All connections are lost, as in a crash.
    void crash() { m_server.reset(); }

private:
    net::Awaitable<core::Expected<net::WebSocketAccept, net::HttpResponse>> admit(const net::HttpRequest& request);

    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<std::shared_ptr<Line>> m_waiting;
    std::size_t m_opened = 0;
    net::HttpRequest m_request;
    std::shared_ptr<broker::Flight> m_gate;
    std::unique_ptr<net::test::TestServer> m_server;
};

/// A client's WebSocket to the broker.
class StreamClient {
public:
    explicit StreamClient(net::WebSocketRequest request);
    ~StreamClient();
    StreamClient(const StreamClient&) = delete;
    StreamClient& operator=(const StreamClient&) = delete;

    /// The status of the answer to the handshake; 101.
    [[nodiscard]] int status() const { return m_status; }
    Line& line() { return *m_line; }
    /// As if the machine were unplugged, but for the kernel's goodbye.
    void drop();

private:
    net::test::Loop m_loop;
    std::shared_ptr<Line> m_line = std::make_shared<Line>();
    std::shared_ptr<std::unique_ptr<net::WebSocketSession>> m_session =
        std::make_shared<std::unique_ptr<net::WebSocketSession>>();
    std::future<void> m_served;
    int m_status = 0;
};

/// A broker that relays to a scripted provider.
struct RelayWorld {
    explicit RelayWorld(const std::function<void(broker::Config&)>& change = {});

    /// A relayed session of that user.
    [[nodiscard]] core::broker::TokenResponse session(const std::string& body = "{}", const std::string& user = "u1");
    [[nodiscard]] net::WebSocketRequest streamRequest(std::string_view token) const;
    [[nodiscard]] std::unique_ptr<StreamClient> open(const core::broker::TokenResponse& session);

    ScriptedUpstream upstream;
    OperatorWorld operators;
};

} // namespace vivavoce::tests
