#pragma once

#include "audio/dsp/resampler.h"
#include "core/base/expected.h"
#include "core/base/units.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace vivavoce::audio {

/// Lays what the user says beside what the agent is heard saying, sample by sample, as both were in the room: microphone and loudspeaker count
/// the time while they run, a clock does where neither runs. All counts are of frames at kRate.
/// Invariant: nothing is taken out but what was said or played while it was not wanted; who is behind gets silence: a device that is closed,
/// opens late or stands still for a second. Two devices whose clocks drift apart are kept together by a sample here and there.
/// Threads: [worker].
class TwoSides {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr core::SampleRate kRate = core::kRealtimeRate;

    /// Of a device that runs.
    struct Side {
        /// It came from there and is not here yet.
        std::int64_t inside = 0;
        /// Between it and the air.
        std::int64_t latency = 0;
    };
    struct Devices {
        std::optional<Side> microphone;
        std::optional<Side> loudspeaker;
        /// So much longer than the other what the microphone gives has been on its way, the latencies of the devices apart.
        std::int64_t lag = 0;
    };
    /// What is complete: silence of so many frames, then interleaved samples.
    struct Piece {
        std::int64_t silence = 0;
        std::vector<std::int16_t> samples;
        [[nodiscard]] bool isEmpty() const { return silence == 0 && samples.empty(); }
    };

    /// SoundFailed.
    static core::Expected<TwoSides, core::Error> create(Time now);

    /// From now on, or: a device was opened or closed.
    void change(const Devices& devices, Time now);
    /// Nothing of what was said or played until it is wanted again.
    void pause(const Devices& devices, bool isPaused);
    [[nodiscard]] bool isPaused() const { return m_isPaused; }
    /// At kRate.
    void said(std::span<const std::int16_t> voice);
    /// The same at EchoCanceller::kRate, where the provider wants it at a third one.
    void saidWide(std::span<const std::int16_t> wide);
    /// So much of it was an echo, and goes nowhere.
    void saidNothing(std::int64_t frames) { put(m_user, frames); }
    /// At EchoCanceller::kRate.
    void heard(std::span<const std::int16_t> wide);
    [[nodiscard]] Piece take(const Devices& devices, Time now);

private:
    struct Queue {
        std::deque<std::int16_t> samples;
        /// So many of what comes next are of before.
        std::int64_t unwanted = 0;
        /// So many samples are to be doubled, one a piece.
        std::int64_t doubled = 0;
        [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(samples.size()); }
    };

    TwoSides(dsp::Resampler usersDown, dsp::Resampler agentsDown, Time now);
    static void put(Queue& queue, std::span<const std::int16_t> voice);
    static void put(Queue& queue, std::int64_t silence);
    void keepSecret(const Devices& devices);
    void shift(const Devices& devices);
    [[nodiscard]] std::int64_t lead(const Devices& devices) const;
    void pad(std::int64_t lead);
    void watch(const Devices& devices);
    void watchAnew();
    [[nodiscard]] std::int64_t passed() const;
    void catchUp(Time now, std::int64_t come);
    void countByClock(const Devices& devices, Time now);

    dsp::Resampler m_usersDown;
    dsp::Resampler m_agentsDown;
    const Time m_start;
    Queue m_user;
    Queue m_agent;
    /// Frames that were given out, and silence that is to be.
    std::int64_t m_done = 0;
    std::int64_t m_silence = 0;
    bool m_isPaused = false;
    /// No device has given anything since one was opened.
    bool m_isByClock = true;
    bool m_hasCome = false;
    /// So much later than it was played the agent's side is: where the user hears it.
    std::int64_t m_shift = 0;
    /// The user's lead in this second, as it was at least and at most.
    std::int64_t m_least = std::numeric_limits<std::int64_t>::max();
    std::int64_t m_most = std::numeric_limits<std::int64_t>::min();
    std::int64_t m_watchedFrom = 0;
};

} // namespace vivavoce::audio
