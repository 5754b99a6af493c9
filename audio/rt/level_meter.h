#pragma once

#include "audio/rt/realtime.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>

namespace vivavoce::audio::rt {

/// The loudest sample since somebody looked. [any thread]
class LevelMeter {
public:
    void feed(std::span<const std::int16_t> samples) VV_REALTIME
    {
        int peak = 0;
        for (const std::int16_t sample : samples) {
            peak = std::max(peak, sample < 0 ? -int{sample} : int{sample});
        }
        int known = m_peak.load(std::memory_order_relaxed);
        // Two rounds settle it: whoever looks meanwhile loses no more than one frame's level.
        for (int round = 0; round < 2 && peak > known; ++round) {
            if (m_peak.compare_exchange_strong(known, peak, std::memory_order_relaxed)) {
                return;
            }
        }
    }

    /// 0 to 32768.
    [[nodiscard]] int take() VV_REALTIME { return m_peak.exchange(0, std::memory_order_relaxed); }

private:
    std::atomic<int> m_peak{0};
};

} // namespace vivavoce::audio::rt
