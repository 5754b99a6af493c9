#pragma once

#include "core/base/units.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace vivavoce::audio {

/// Pieces of captured voice between the sound worker and the session: at most ten seconds; of more the oldest are dropped, and counted.
/// Threads: [any thread].
class CapturedVoice {
public:
    struct Taken {
        std::vector<std::vector<std::int16_t>> pieces;
        /// Before the first of the pieces, or between them.
        core::Milliseconds lost{0};
    };

    /// Whether somebody has to be told to take: those who were told before have taken.
    [[nodiscard]] bool put(std::vector<std::int16_t> piece)
    {
        const std::lock_guard lock(m_mutex);
        m_samples += piece.size();
        m_pieces.push_back(std::move(piece));
        while (m_samples > kMost) {
            m_samples -= m_pieces.front().size();
            m_lost += core::FrameCount{static_cast<std::int64_t>(m_pieces.front().size())};
            m_pieces.pop_front();
        }
        return !std::exchange(m_isTold, true);
    }

    /// So much could not be captured. As for `put`.
    [[nodiscard]] bool lose(core::Milliseconds amount)
    {
        const std::lock_guard lock(m_mutex);
        m_lost += core::FrameCount::of(amount, core::kRealtimeRate);
        return !std::exchange(m_isTold, true);
    }

    [[nodiscard]] Taken take()
    {
        const std::lock_guard lock(m_mutex);
        Taken taken{{std::make_move_iterator(m_pieces.begin()), std::make_move_iterator(m_pieces.end())},
            std::exchange(m_lost, {}).duration(core::kRealtimeRate)};
        m_pieces.clear();
        m_samples = 0;
        m_isTold = false;
        return taken;
    }

private:
    static constexpr std::size_t kMost = 10 * core::kRealtimeRate.hz();

    std::mutex m_mutex;
    std::deque<std::vector<std::int16_t>> m_pieces;
    std::size_t m_samples = 0;
    core::FrameCount m_lost;
    bool m_isTold = false;
};

} // namespace vivavoce::audio
