#include "tests/agent/realtime/speech_fakes.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace vivavoce::tests {

namespace {

class FakeRecogniser final : public agent::Recogniser {
public:
    explicit FakeRecogniser(FakeRecogniserPool& pool) : m_pool(pool) { ++m_pool.lent; }
    ~FakeRecogniser() override { --m_pool.lent; }

    core::Expected<void, core::Error> begin() override { return {}; }
    std::optional<std::string> accept(std::span<const std::int16_t> samples) override
    {
        m_pool.samples += samples.size();
        if (m_next >= m_pool.partials.size()) {
            return std::nullopt;
        }
        return m_pool.partials[m_next++];
    }
    agent::Recognition finish() override { return m_pool.result; }
    void cancel() override {}

private:
    FakeRecogniserPool& m_pool;
    std::size_t m_next = 0;
};

class FakeBrain final : public agent::Brain {
public:
    explicit FakeBrain(FakeBrains& script) : m_script(script) {}

    core::Expected<std::optional<agent::BrainUsage>, core::Error> reply(
        const agent::BrainRequest& request, agent::BrainSink& sink, std::stop_token stop) override
    {
        ++m_script.replies;
        if (m_script.isFailing) {
            return core::fail(core::ErrorCode::Internal, "no thought");
        }
        m_script.reply(request, sink, std::move(stop));
        return std::optional<agent::BrainUsage>();
    }
    agent::ReminderChanges takeReminders() override { return std::exchange(m_script.reminders, {}); }

private:
    FakeBrains& m_script;
};

} // namespace

bool LoudnessDetector::isSpeech(std::span<std::int16_t> frame)
{
    return std::any_of(frame.begin(), frame.end(), [](std::int16_t sample) { return std::abs(int{sample}) > 1'000; });
}

core::Expected<std::unique_ptr<agent::Recogniser>, core::Error> FakeRecogniserPool::borrow(std::stop_token)
{
    if (isFailing) {
        return core::fail(core::ErrorCode::Internal, "no model");
    }
    return std::make_unique<FakeRecogniser>(*this);
}

core::Expected<void, core::Error> FakeVoice::speak(
    std::string_view sentence, const agent::SpeakingStyle&, const Sink& sink)
{
    ++sentences;
    if (isFailing) {
        return core::fail(core::ErrorCode::Internal, "hoarse");
    }
    const std::vector<std::int16_t> piece(320, 5'000);
    const int length = std::min(maxMs.load(), static_cast<int>(sentence.size()) * 100);
    for (int at = 0; at < length; at += 20) {
        // While held, silence of no length asks whether to go on.
        while (at >= 60 && isHeld) {
            if (!sink({})) {
                return {};
            }
            std::this_thread::yield();
        }
        if (!sink(piece)) {
            return {};
        }
    }
    return {};
}

std::unique_ptr<agent::Brain> FakeBrains::create()
{
    return std::make_unique<FakeBrain>(*this);
}

} // namespace vivavoce::tests
