#pragma once

#include "core/base/error.h"
#include "core/base/units.h"
#include "core/base/voice_rates.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vivavoce::core {

/// What comes from the user's side of the sound.
class VoiceListener {
public:
    virtual ~VoiceListener() = default;
    /// PCM16 mono at the rate for what the user says, in pieces of 10 to 100 ms.
    virtual void voiceCaptured(std::span<const std::int16_t> samples) = 0;
    /// So much was said and could not be handed over in time; it lies before what comes next.
    virtual void voiceLost(Milliseconds amount) = 0;
    /// A recording has ended; after it comes silence. Never called for a microphone.
    virtual void captureEnded() = 0;
    /// Everything queued has been heard.
    virtual void playbackDrained() = 0;
    /// What is said or heard is lost from here on: the conversation cannot go on.
    virtual void voiceFailed(const Error& error) = 0;
    /// Microphone or loudspeaker is missing; a conversation in writing goes on.
    virtual void voiceImpaired(const Error& error) = 0;
    /// What was told as missing with that code is there again.
    virtual void voiceRestored(ErrorCode code) = 0;
};

/// How much of an item was heard when its playback was cut.
struct HeardAudio {
    /// Empty: nothing was playing.
    std::string itemId;
    int contentIndex = 0;
    Milliseconds heard{0};
    /// The item was heard to its end.
    bool wasWhole = false;
};

/// Port: where speech comes from and goes to: sound devices, or recordings.
/// Threads: the executor's own thread.
class VoiceIo {
public:
    virtual ~VoiceIo() = default;
    /// From now on, also while it runs and from within a listener: at those is captured and played, also what was captured or queued
    /// before and is still to come. kRealtimeRate both ways, unless told.
    virtual void useRates(const VoiceRates& rates) = 0;
    /// Starts capture and playback.
    virtual void start(VoiceListener& listener) = 0;
    virtual void stop() = 0;
    /// Queues PCM16 mono at the rate for what the agent says behind what is queued. Unbounded by design: providers send faster than real time.
    virtual void play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples) = 0;
    /// No more audio will come for that item.
    virtual void finishItem(std::string_view itemId) = 0;
    /// Drops everything queued at once, and tells what was heard of the item that was playing.
    virtual HeardAudio interrupt() = 0;
    [[nodiscard]] virtual bool isPlaying() const = 0;
};

} // namespace vivavoce::core
