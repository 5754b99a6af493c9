#include "agent/realtime/voice_activity_detector.h"

#include "audio/dsp/voice_processor.h"

#include <utility>

namespace vivavoce::agent::realtime {

namespace {

class VoiceProcessorDetector final : public ActivityDetector {
public:
    explicit VoiceProcessorDetector(dsp::VoiceProcessor processor) : m_processor(std::move(processor)) {}

    bool isSpeech(std::span<std::int16_t> frame) override
    {
        return frame.size() == dsp::VoiceProcessor::kFrameSamples
            && m_processor.process(frame.first<dsp::VoiceProcessor::kFrameSamples>()).hasVoice;
    }

private:
    dsp::VoiceProcessor m_processor;
};

} // namespace

core::Expected<std::unique_ptr<ActivityDetector>, core::Error> makeVoiceActivityDetector()
{
    auto processor = dsp::VoiceProcessor::create();
    if (!processor) {
        return core::Unexpected<core::Error>(processor.error());
    }
    return std::make_unique<VoiceProcessorDetector>(std::move(*processor));
}

} // namespace vivavoce::agent::realtime
