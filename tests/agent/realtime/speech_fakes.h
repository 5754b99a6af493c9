#pragma once

#include "agent/ports.h"
#include "agent/realtime/speech_workers.h"
#include "agent/realtime/turn_detector.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

/// Scripted doubles of who listens, thinks and speaks, so that tests know every word beforehand.
namespace vivavoce::tests {

/// Loud is speech.
class LoudnessDetector final : public agent::realtime::ActivityDetector {
public:
    bool isSpeech(std::span<std::int16_t> frame) override;
};

/// Every utterance is understood the same way. Counts what is lent, so that tests see that all comes back.
class FakeRecogniserPool final : public agent::RecogniserPool {
public:
    core::Expected<std::unique_ptr<agent::Recogniser>, core::Error> borrow(std::stop_token stop) override;

    /// Set before the session runs.
    agent::Recognition result{"what time is it", true};
    std::vector<std::string> partials;
    bool isFailing = false;
    std::atomic<int> lent = 0;
    std::atomic<std::size_t> samples = 0;
};

/// 100 ms of a constant sample per sentence letter up to `maxMs`, in pieces of 20 ms.
class FakeVoice final : public agent::Voice {
public:
    [[nodiscard]] core::SampleRate rate() const override { return core::kSpeechRate; }
    core::Expected<void, core::Error> speak(
        std::string_view sentence, const agent::SpeakingStyle& style, const Sink& sink) override;

    std::atomic<int> maxMs = 300;
    std::atomic<bool> isFailing = false;
    /// Holds the second piece of a sentence back until released or stopped.
    std::atomic<bool> isHeld = false;
    std::atomic<int> sentences = 0;
};

/// Does what the test's function says.
class FakeBrains final : public agent::BrainFactory {
public:
    using Reply = std::function<void(const agent::BrainRequest&, agent::BrainSink&, std::stop_token)>;

    [[nodiscard]] std::unique_ptr<agent::Brain> create() override;

    /// Set before the session runs.
    Reply reply;
    bool isFailing = false;
    agent::ReminderChanges reminders;
    std::atomic<int> replies = 0;
};

} // namespace vivavoce::tests
