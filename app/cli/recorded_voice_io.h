#pragma once

#include "app/cli/options.h"
#include "core/base/clock.h"
#include "core/base/executor.h"
#include "core/ports/voice_io.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::cli {

/// VoiceIo of a conversation without devices: a recording is spoken in real time (or eight times as fast), followed by the
/// silence of somebody who waits; what would be heard goes to `heard`, in order and at the pace at which it would be heard.
/// Threads: the executor's own thread. Lifetime: its references outlive it.
class RecordedVoiceIo final : public core::VoiceIo {
public:
    /// PCM16 mono; false ends the conversation with OutputUnwritable.
    using Heard = std::function<bool(std::span<const std::int16_t>, core::SampleRate)>;

    /// `recording`: at core::kRealtimeRate.
    RecordedVoiceIo(core::Executor& executor, const core::Clock& clock, std::vector<std::int16_t> recording, Pace pace,
        Heard heard);
    ~RecordedVoiceIo() override;

    void useRates(const core::VoiceRates& rates) override;
    void start(core::VoiceListener& listener) override;
    void stop() override;
    void play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples) override;
    void finishItem(std::string_view itemId) override;
    core::HeardAudio interrupt() override;
    [[nodiscard]] bool isPlaying() const override { return !m_queue.empty(); }

    [[nodiscard]] core::Milliseconds spoken() const
    {
        return core::FrameCount{static_cast<std::int64_t>(m_spoken)}.duration(m_rates.input);
    }
    [[nodiscard]] core::Milliseconds heardInAll() const { return m_heardBefore + heardNow(); }

private:
    struct Queued {
        std::string itemId;
        int contentIndex = 0;
        std::vector<std::int16_t> samples;
        std::size_t heard = 0;
        bool isFinished = false;
    };

    void scheduleTick();
    void tick();
    void speak(std::size_t frames);
    void hear(std::size_t frames);
    /// Since the rate of the replies changed last.
    [[nodiscard]] core::Milliseconds heardNow() const
    {
        return core::FrameCount{static_cast<std::int64_t>(m_heardFrames)}.duration(m_rates.output);
    }
    [[nodiscard]] Queued* find(std::string_view itemId);

    core::Executor& m_executor;
    const core::Clock& m_clock;
    core::VoiceRates m_rates;
    std::vector<std::int16_t> m_recording;
    Pace m_pace;
    Heard m_heard;
    core::VoiceListener* m_listener = nullptr;
    std::unique_ptr<core::Timer> m_timer;
    core::MonotonicTime m_lastTick{};
    /// Part of a millisecond that a tick was short of.
    core::MonotonicTime::duration m_owed{0};
    std::size_t m_spoken = 0;
    std::size_t m_heardFrames = 0;
    core::Milliseconds m_heardBefore{0};
    bool m_hasEnded = false;
    std::deque<Queued> m_queue;
};

} // namespace vivavoce::cli
