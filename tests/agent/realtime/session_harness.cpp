#include "tests/agent/realtime/session_harness.h"

#include "core/base/base64.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vivavoce::tests {

using core::Json;

class WaitingExecutor::Pending final : public core::Timer {
public:
    Pending(std::shared_ptr<std::list<Entry>> timers, std::list<Entry>::iterator entry)
        : m_timers(std::move(timers)), m_entry(entry)
    {
    }
    ~Pending() override { m_timers->erase(m_entry); }

private:
    const std::shared_ptr<std::list<Entry>> m_timers;
    const std::list<Entry>::iterator m_entry;
};

void WaitingExecutor::post(std::function<void()> work)
{
    {
        const std::lock_guard lock(m_mutex);
        m_posted.push_back(std::move(work));
    }
    m_wake.notify_all();
}

std::unique_ptr<core::Timer> WaitingExecutor::after(core::Milliseconds delay, std::function<void()> work)
{
    const auto entry = m_timers->insert(m_timers->end(), {m_now + delay, std::move(work)});
    return std::make_unique<Pending>(m_timers, entry);
}

bool WaitingExecutor::runUntil(const std::function<bool()>& isDone, core::Milliseconds deadline)
{
    const auto end = std::chrono::system_clock::now() + deadline;
    while (!isDone()) {
        std::function<void()> work;
        {
            std::unique_lock lock(m_mutex);
            if (!m_wake.wait_until(lock, end, [this] { return !m_posted.empty(); })) {
                return isDone();
            }
            work = std::move(m_posted.front());
            m_posted.pop_front();
        }
        work();
    }
    return true;
}

void WaitingExecutor::advance(core::Milliseconds by)
{
    const core::Milliseconds end = m_now + by;
    for (;;) {
        auto next = m_timers->end();
        for (auto it = m_timers->begin(); it != m_timers->end(); ++it) {
            const bool isSooner = it->work && it->due <= end && (next == m_timers->end() || it->due < next->due);
            next = isSooner ? it : next;
        }
        if (next == m_timers->end()) {
            m_now = end;
            return;
        }
        m_now = std::max(m_now, next->due);
        std::exchange(next->work, nullptr)();
    }
}

SessionHarness::SessionHarness(std::size_t capacity)
    : workers(std::make_unique<agent::realtime::SpeechWorkers>(capacity))
{
    brains.reply = [](const agent::BrainRequest&, agent::BrainSink& sink, std::stop_token) {
        sink.onText("It is noon. All is well.");
    };
}

SessionHarness::~SessionHarness()
{
    voice.isHeld = false;
    if (session) {
        session->stop();
    }
    workers->stop();
    session.reset();
}

void SessionHarness::start()
{
    agent::realtime::SpeechParts parts{
        *workers, recognisers, voice, brains, clock, [] { return std::make_unique<LoudnessDetector>(); }};
    session = std::make_shared<agent::realtime::RealtimeSession>(
        parts, executor, events, agent::realtime::SessionSettings::defaults("gpt-realtime", "sess_1", 4'000'000'000));
    session->start(agent::realtime::RealtimeSession::kMaxDuration);
    collect();
}

void SessionHarness::collect()
{
    while (isReading) {
        const auto text = events.take();
        if (!text) {
            return;
        }
        received.push_back(core::parseJson(*text).value());
    }
}

bool SessionHarness::runUntil(const std::function<bool()>& isDone)
{
    return executor->runUntil([&] {
        collect();
        return isDone();
    });
}

void SessionHarness::sendText(std::string_view text)
{
    runUntil([this] { return session->isReady(); });
    session->receive(text);
    collect();
}

void SessionHarness::send(const Json& event)
{
    sendText(event.dump());
}

std::string base64Audio(int milliseconds, bool isLoud)
{
    core::Bytes bytes;
    for (int i = 0; i < milliseconds * 24; ++i) {
        // 400 Hz: well inside every band that audio is resampled to.
        const int sample = isLoud ? (i / 30 % 2 == 0 ? 8'000 : -8'000) : 0;
        const auto word = static_cast<std::uint16_t>(sample);
        bytes.push_back(static_cast<std::uint8_t>(word & 0xFFU));
        bytes.push_back(static_cast<std::uint8_t>(word >> 8U));
    }
    return core::encodeBase64(bytes);
}

void SessionHarness::append(int milliseconds, bool isLoud)
{
    send({{"type", "input_audio_buffer.append"}, {"audio", base64Audio(milliseconds, isLoud)}});
}

Json SessionHarness::waitFor(const std::string& type)
{
    const auto find = [&] {
        return std::find_if(received.begin() + static_cast<std::ptrdiff_t>(m_cursor), received.end(),
            [&type](const Json& event) { return event.at("type") == type; });
    };
    if (!runUntil([&] { return find() != received.end(); })) {
        return nullptr;
    }
    const auto it = find();
    m_cursor = static_cast<std::size_t>(it - received.begin()) + 1;
    return *it;
}

void SessionHarness::settle()
{
    const std::string mark = "mark_" + std::to_string(received.size());
    send({{"type", "conversation.item.retrieve"}, {"item_id", "none"}, {"event_id", mark}});
    runUntil([&] {
        return std::any_of(received.begin(), received.end(), [&mark](const Json& event) {
            return event.at("type") == "error" && event.at("error").at("event_id") == mark;
        });
    });
    received.erase(std::remove_if(received.begin(), received.end(),
                       [&mark](const Json& event) {
                           return event.at("type") == "error" && event.at("error").at("event_id") == mark;
                       }),
        received.end());
}

std::vector<std::string> SessionHarness::types(std::size_t from) const
{
    std::vector<std::string> list;
    for (std::size_t i = from; i < received.size(); ++i) {
        list.push_back(received[i].at("type").get<std::string>());
    }
    return list;
}

std::vector<Json> SessionHarness::all(const std::string& type) const
{
    std::vector<Json> list;
    std::copy_if(received.begin(), received.end(), std::back_inserter(list),
        [&type](const Json& e) { return e.at("type") == type; });
    return list;
}

} // namespace vivavoce::tests
