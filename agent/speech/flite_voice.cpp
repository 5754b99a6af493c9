#include "agent/speech/flite_voice.h"

#include <flite/flite.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <string>
#include <vector>

// In no header of flite.
extern "C" cst_voice* register_cmu_us_slt(const char* folder);

namespace vivavoce::agent::speech {
namespace {

constexpr double kSlowest = 0.5;
constexpr double kFastest = 2.0;
constexpr double kLoudest = 4.0;

/// What the callback of one synthesis needs.
struct Speaking {
    const Voice::Sink& sink;
    double gain;
};

int takeAudio(const cst_wave* wave, int start, int size, int /*last*/, cst_audio_streaming_info* info)
{
    const auto* speaking = static_cast<const Speaking*>(info->userdata);
    const std::span<const std::int16_t> made(wave->samples + start, static_cast<std::size_t>(std::max(size, 0)));
    if (made.empty()) {
        return CST_AUDIO_STREAM_CONT;
    }
    if (speaking->gain == 1.0) {
        return speaking->sink(made) ? CST_AUDIO_STREAM_CONT : CST_AUDIO_STREAM_STOP;
    }
    std::vector<std::int16_t> louder(made.begin(), made.end());
    for (std::int16_t& sample : louder) {
        sample = static_cast<std::int16_t>(std::clamp(std::lround(sample * speaking->gain), -32768L, 32767L));
    }
    return speaking->sink(louder) ? CST_AUDIO_STREAM_CONT : CST_AUDIO_STREAM_STOP;
}

} // namespace

struct FliteVoice::State {
    cst_voice* voice = nullptr;
    /// The lexicon and the voice keep state of their own while they work.
    std::mutex mutex;
};

FliteVoice::FliteVoice(std::unique_ptr<State> state) : m_state(std::move(state)) {}
FliteVoice::~FliteVoice() = default;

core::Expected<std::unique_ptr<FliteVoice>, core::Error> FliteVoice::create()
{
    flite_init();
    auto state = std::make_unique<State>();
    state->voice = register_cmu_us_slt(nullptr);
    if (state->voice == nullptr) {
        return core::fail(core::ErrorCode::SoundFailed, "the voice slt cannot be loaded");
    }
    return std::unique_ptr<FliteVoice>(new FliteVoice(std::move(state)));
}

core::Expected<void, core::Error> FliteVoice::speak(
    std::string_view sentence, const SpeakingStyle& style, const Sink& sink)
{
    const std::string text(sentence);
    Speaking speaking{sink, std::clamp(style.gain, 0.0, kLoudest)};
    const double stretch = 1.0 / std::clamp(style.rate, kSlowest, kFastest);
    const std::lock_guard lock(m_state->mutex);
    cst_utterance* utterance = new_utterance();
    utt_set_input_text(utterance, text.c_str());
    // On the utterance, not on the voice: the voice is shared.
    cst_audio_streaming_info* streaming = new_audio_streaming_info();
    streaming->asc = takeAudio;
    streaming->userdata = &speaking;
    feat_set(utterance->features, "streaming_info", audio_streaming_info_val(streaming));
    feat_set_float(utterance->features, "duration_stretch", static_cast<float>(stretch));
    cst_utterance* spoken = flite_do_synth(utterance, m_state->voice, utt_synth);
    if (spoken == nullptr) {
        delete_utterance(utterance);
        return core::fail(core::ErrorCode::SoundFailed, "the voice could not speak a sentence");
    }
    delete_utterance(spoken);
    return {};
}

} // namespace vivavoce::agent::speech
