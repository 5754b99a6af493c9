#include "agent/agent.h"

#include "agent/brain/chat_brain.h"
#include "agent/realtime/voice_activity_detector.h"
#include "agent/skills/grammar.h"
#include "agent/skills/rule_brain.h"
#include "agent/speech/flite_voice.h"
#include "agent/speech/pocketsphinx_recogniser.h"

#include <utility>

namespace vivavoce::agent {

namespace {

/// As many sentences of the grammar as make its words likely in the language model.
constexpr std::size_t kModelSentences = 20'000;
constexpr std::uint32_t kModelSeed = 1;

std::unique_ptr<BrainFactory> makeBrains(const Options& options, core::Secret chatKey, const core::Clock& clock)
{
    if (options.chatUrl.empty()) {
        return std::make_unique<skills::RuleBrainFactory>(clock);
    }
    brain::ChatSettings settings;
    settings.url = options.chatUrl;
    settings.model = options.chatModel;
    settings.key = std::make_shared<const core::Secret>(std::move(chatKey));
    return std::make_unique<brain::ChatBrainFactory>(std::move(settings));
}

speech::RecogniserSettings recogniserSettings(const Options& options)
{
    speech::RecogniserSettings settings;
    // What is said to a chat server is not commands.
    if (options.chatUrl.empty()) {
        settings.grammarJsgf = skills::commandGrammarJsgf();
        settings.sentences = skills::sampleSentences(kModelSentences, kModelSeed);
    }
    return settings;
}

} // namespace

core::Expected<Speech, core::Error> makeOfflineSpeech(const Options& options, core::Secret chatKey)
{
    auto recognisers = speech::PocketsphinxPool::create(recogniserSettings(options));
    if (!recognisers) {
        return core::Unexpected<core::Error>(recognisers.error());
    }
    auto voice = speech::FliteVoice::create();
    if (!voice) {
        return core::Unexpected<core::Error>(voice.error());
    }
    // Made once here to learn that it can be made at all.
    if (auto detector = realtime::makeVoiceActivityDetector(); !detector) {
        return core::Unexpected<core::Error>(detector.error());
    }
    Speech speech;
    speech.clock = std::make_unique<core::SystemClock>();
    speech.recognisers = std::move(*recognisers);
    speech.voice = std::move(*voice);
    speech.brains = makeBrains(options, std::move(chatKey), *speech.clock);
    speech.makeDetector = realtime::makeVoiceActivityDetector;
    return speech;
}

} // namespace vivavoce::agent
