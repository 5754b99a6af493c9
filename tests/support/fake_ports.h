#pragma once

#include "core/base/executor.h"
#include "core/ports/http_client.h"
#include "core/ports/tool_runner.h"
#include "core/ports/transport.h"
#include "core/ports/voice_io.h"
#include "core/token/token_source.h"

#include <deque>
#include <string>
#include <vector>

namespace vivavoce::tests {

/// Keeps the requests; the test answers each when it likes.
class FakeHttpClient final : public core::HttpClient {
public:
    struct Sent {
        Request request;
        Callback done;
        /// Set when the caller let go of the call.
        std::shared_ptr<bool> wasCancelled;
    };

    [[nodiscard]] std::unique_ptr<core::HttpCall> send(Request request, Callback done) override;
    /// Answers the oldest open request.
    void answer(core::Expected<Response, core::Error> result);
    void answer(int status, std::string body, core::HttpHeaders headers = {});

    std::deque<Sent> sent;
};

/// Keeps the queries; the test answers each.
class FakeTokenSource final : public core::TokenSource {
public:
    void fetch(const core::TokenQuery& query, core::TokenCallback done) override;
    void answer(core::Expected<core::TokenPtr, core::Error> result);

    std::vector<core::TokenQuery> queries;

private:
    std::deque<core::TokenCallback> m_open;
};

/// A token that opens "ws://127.0.0.1:9/v1/realtime".
[[nodiscard]] core::TokenPtr makeToken(core::MonotonicTime now, core::Milliseconds life = core::Milliseconds{60'000},
    std::string sessionId = "voice_1_abc", std::string value = "ek_test");

/// A connection whose other end is the test.
class FakeTransport final : public core::Transport {
public:
    struct Wire {
        core::TransportTarget target;
        core::TransportListener* listener = nullptr;
        std::vector<std::string> sent;
        std::size_t buffered = 0;
        int pings = 0;
        /// Where pings are answered; null: the test answers them, or does not.
        core::Executor* pongs = nullptr;
        bool wasClosed = false;
        bool isGone = false;
    };

    explicit FakeTransport(std::shared_ptr<Wire> wire) : m_wire(std::move(wire)) {}
    ~FakeTransport() override { m_wire->isGone = true; }

    void open(const core::TransportTarget& target, core::TransportListener& listener) override;
    void ping() override;
    void send(std::string_view message) override { m_wire->sent.emplace_back(message); }
    void close(std::uint16_t, std::string_view) override { m_wire->wasClosed = true; }
    [[nodiscard]] std::size_t bufferedBytes() const override { return m_wire->buffered; }

private:
    std::shared_ptr<Wire> m_wire;
};

class FakeTransportFactory final : public core::TransportFactory {
public:
    [[nodiscard]] std::unique_ptr<core::Transport> create() override;
    [[nodiscard]] FakeTransport::Wire& last() { return *wires.back(); }

    std::vector<std::shared_ptr<FakeTransport::Wire>> wires;
    /// For the wires to come.
    core::Executor* pongs = nullptr;
};

/// Sound that the test makes and hears.
class FakeVoiceIo final : public core::VoiceIo {
public:
    void useRates(const core::VoiceRates& to) override { rates = to; }
    void start(core::VoiceListener& to) override { listener = &to; }
    void stop() override { wasStopped = true; }
    void play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples) override;
    void finishItem(std::string_view itemId) override { finished.emplace_back(itemId); }
    core::HeardAudio interrupt() override;
    [[nodiscard]] bool isPlaying() const override { return !played.empty(); }

    core::VoiceListener* listener = nullptr;
    core::VoiceRates rates;
    bool wasStopped = false;
    int interrupts = 0;
    std::vector<std::int16_t> played;
    std::vector<std::string> finished;
    /// What the next interrupt answers.
    core::HeardAudio heard;
};

class FakeToolRunner final : public core::ToolRunner {
public:
    void run(const core::ToolCall& call, Callback done) override;
    void cancel(const std::string& callId) override { cancelled.push_back(callId); }
    void cancelAll() override { wasCancelled = true; }
    [[nodiscard]] bool takesTime(const std::string&) const override { return isSlow; }

    bool isSlow = false;
    std::vector<core::ToolCall> calls;
    std::deque<Callback> open;
    std::vector<std::string> cancelled;
    bool wasCancelled = false;
};

} // namespace vivavoce::tests
