#pragma once

#include "agent/ports.h"

#include <memory>

namespace vivavoce::agent::speech {

/// The voice "slt" of flite: a clear female US English voice, 16 kHz, streamed as it is made.
/// Threads: [any worker]; one sentence is made at a time, in 3 % of its length. Lifetime: outlives what it speaks.
class FliteVoice final : public Voice {
public:
    /// SoundFailed where the voice cannot be loaded.
    static core::Expected<std::unique_ptr<FliteVoice>, core::Error> create();
    ~FliteVoice() override;

    [[nodiscard]] core::SampleRate rate() const override { return core::kSpeechRate; }
    core::Expected<void, core::Error> speak(
        std::string_view sentence, const SpeakingStyle& style, const Sink& sink) override;

private:
    struct State;
    explicit FliteVoice(std::unique_ptr<State> state);

    std::unique_ptr<State> m_state;
};

} // namespace vivavoce::agent::speech
