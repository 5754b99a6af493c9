#pragma once

#include "agent/realtime/realtime_session.h"
#include "core/base/clock.h"
#include "core/base/executor.h"
#include "core/base/json.h"
#include "tests/agent/realtime/speech_fakes.h"

#include <nlohmann/json.hpp>

#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vivavoce::tests {

/// Work from any thread runs on the test's thread when it waits; timers run when the test moves the clock.
class WaitingExecutor final : public core::Executor {
public:
    void post(std::function<void()> work) override;
    [[nodiscard]] std::unique_ptr<core::Timer> after(core::Milliseconds delay, std::function<void()> work) override;

    /// Runs posted work until `isDone` or the deadline; answers isDone().
    bool runUntil(const std::function<bool()>& isDone, core::Milliseconds deadline = core::Milliseconds{10'000});
    void advance(core::Milliseconds by);

private:
    struct Entry {
        core::Milliseconds due{0};
        std::function<void()> work;
    };
    class Pending;

    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<std::function<void()>> m_posted;
    std::shared_ptr<std::list<Entry>> m_timers = std::make_shared<std::list<Entry>>();
    core::Milliseconds m_now{0};
};

/// A session without a socket.
class SessionHarness {
public:
    explicit SessionHarness(std::size_t capacity = 1);
    ~SessionHarness();

    void start();
    /// Waits until the session would read on, then gives it the event.
    void send(const core::Json& event);
    void sendText(std::string_view text);
    /// Tone or silence in the session's default format, in one append.
    void append(int milliseconds, bool isLoud);
    /// Runs until an event of this type comes that was not waited for before; answers it, or null after the deadline.
    core::Json waitFor(const std::string& type);
    /// Waits until the session is quiet enough to have answered all events, by a retrieve of nothing.
    void settle();
    /// Types of all events so far, from `from` on.
    [[nodiscard]] std::vector<std::string> types(std::size_t from = 0) const;
    [[nodiscard]] std::vector<core::Json> all(const std::string& type) const;
    bool runUntil(const std::function<bool()>& isDone);
    void collect();

    core::SystemClock clock;
    FakeRecogniserPool recognisers;
    FakeVoice voice;
    FakeBrains brains;
    std::shared_ptr<WaitingExecutor> executor = std::make_shared<WaitingExecutor>();
    agent::realtime::EventWriter events;
    std::vector<core::Json> received;
    std::unique_ptr<agent::realtime::SpeechWorkers> workers;
    std::shared_ptr<agent::realtime::RealtimeSession> session;
    /// Off: what the session writes piles up, as with a client that does not read.
    bool isReading = true;

private:
    std::size_t m_cursor = 0;
};

[[nodiscard]] std::string base64Audio(int milliseconds, bool isLoud);

} // namespace vivavoce::tests
