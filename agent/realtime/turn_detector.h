#pragma once

#include "agent/realtime/session_settings.h"
#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/units.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace vivavoce::agent::realtime {

/// Tells speech from the rest, frame by frame. [worker, one session]
class ActivityDetector {
public:
    virtual ~ActivityDetector() = default;
    /// 10 ms of PCM16 mono at core::kSpeechRate; may take the noise out of them.
    virtual bool isSpeech(std::span<std::int16_t> frame) = 0;
};

/// A detector for one session. SoundFailed.
using DetectorFactory = std::function<core::Expected<std::unique_ptr<ActivityDetector>, core::Error>()>;

/// Makes turns out of speech frames: a turn starts once enough of the last 120 ms was speech (20 ms at threshold 0, 100 ms at
/// 1) and stops after `silence` without any. Pure. Threads: one at a time.
class TurnDetector {
public:
    static constexpr core::Milliseconds kFrame{10};

    enum class Change { None, Started, Stopped };

    void configure(const TurnDetection& settings);
    /// One more frame of kFrame.
    Change accept(bool isSpeech);
    /// Back to waiting for speech, as after a commit or a clear.
    void reset();

    [[nodiscard]] bool isSpeaking() const { return m_isSpeaking; }
    /// How long ago the speech began that has just been reported by Started.
    [[nodiscard]] static core::Milliseconds onsetWindow() { return kFrame * kWindow; }

private:
    static constexpr int kWindow = 12;

    int m_neededFrames = 5;
    int m_silenceFrames = 50;
    std::uint32_t m_recent = 0;
    int m_silent = 0;
    bool m_isSpeaking = false;
};

} // namespace vivavoce::agent::realtime
