#pragma once

#include "core/ports/voice_io.h"

namespace vivavoce::cli {

/// Speech from one place and replies to another: a microphone and a file, or a recording and a loudspeaker.
/// Lifetime: both outlive it.
class SplitVoiceIo final : public core::VoiceIo {
public:
    SplitVoiceIo(core::VoiceIo& speech, core::VoiceIo& replies) : m_speech(speech), m_replies(replies) {}

    void useRates(const core::VoiceRates& rates) override
    {
        m_speech.useRates(rates);
        m_replies.useRates(rates);
    }
    void start(core::VoiceListener& listener) override
    {
        m_ear.listener = &listener;
        m_mouth.listener = &listener;
        m_speech.start(m_ear);
        m_replies.start(m_mouth);
    }
    void stop() override
    {
        m_speech.stop();
        m_replies.stop();
    }
    void play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples) override
    {
        m_replies.play(itemId, contentIndex, samples);
    }
    void finishItem(std::string_view itemId) override { m_replies.finishItem(itemId); }
    core::HeardAudio interrupt() override { return m_replies.interrupt(); }
    [[nodiscard]] bool isPlaying() const override { return m_replies.isPlaying(); }

private:
    /// What the place that is spoken from says; that it also could play is nobody's business.
    struct Ear final : core::VoiceListener {
        core::VoiceListener* listener = nullptr;
        void voiceCaptured(std::span<const std::int16_t> samples) override { listener->voiceCaptured(samples); }
        void voiceLost(core::Milliseconds amount) override { listener->voiceLost(amount); }
        void captureEnded() override { listener->captureEnded(); }
        void playbackDrained() override {}
        void voiceFailed(const core::Error& error) override { listener->voiceFailed(error); }
        void voiceImpaired(const core::Error& error) override
        {
            if (error.code != core::ErrorCode::SoundNoLoudspeaker) {
                listener->voiceImpaired(error);
            }
        }
        void voiceRestored(core::ErrorCode code) override
        {
            if (code != core::ErrorCode::SoundNoLoudspeaker) {
                listener->voiceRestored(code);
            }
        }
    };
    struct Mouth final : core::VoiceListener {
        core::VoiceListener* listener = nullptr;
        void voiceCaptured(std::span<const std::int16_t>) override {}
        void voiceLost(core::Milliseconds) override {}
        void captureEnded() override {}
        void playbackDrained() override { listener->playbackDrained(); }
        void voiceFailed(const core::Error& error) override { listener->voiceFailed(error); }
        void voiceImpaired(const core::Error& error) override { listener->voiceImpaired(error); }
        void voiceRestored(core::ErrorCode code) override { listener->voiceRestored(code); }
    };

    core::VoiceIo& m_speech;
    core::VoiceIo& m_replies;
    Ear m_ear;
    Mouth m_mouth;
};

} // namespace vivavoce::cli
