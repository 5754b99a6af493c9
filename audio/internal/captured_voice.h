#pragma once

#include "core/base/units.h"

#include <chrono>
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
    struct Piece {
        std::vector<std::int16_t> samples;
        core::SampleRate rate;
    };
    struct Taken {
        std::vector<Piece> pieces;
        /// Before the first of the pieces, or between them.
        core::Milliseconds lost{0};
    };

    /// Whether somebody has to be told to take: those who were told before have taken.
    [[nodiscard]] bool put(Piece piece)
    {
        const std::lock_guard lock(m_mutex);
        m_waiting += lengthOf(piece);
        m_pieces.push_back(std::move(piece));
        while (m_waiting > kMost) {
            m_waiting -= lengthOf(m_pieces.front());
            m_lost += lengthOf(m_pieces.front());
            m_pieces.pop_front();
        }
        return !std::exchange(m_isTold, true);
    }

    /// So much could not be captured. As for `put`.
    [[nodiscard]] bool lose(core::Milliseconds amount)
    {
        const std::lock_guard lock(m_mutex);
        m_lost += amount;
        return !std::exchange(m_isTold, true);
    }

    [[nodiscard]] Taken take()
    {
        const std::lock_guard lock(m_mutex);
        Taken taken{{std::make_move_iterator(m_pieces.begin()), std::make_move_iterator(m_pieces.end())},
            std::chrono::floor<core::Milliseconds>(std::exchange(m_lost, {}))};
        m_pieces.clear();
        m_waiting = {};
        m_isTold = false;
        return taken;
    }

private:
    using Length = std::chrono::nanoseconds;
    static constexpr Length kMost = std::chrono::seconds{10};

    [[nodiscard]] static Length lengthOf(const Piece& piece)
    {
        return Length{static_cast<std::int64_t>(piece.samples.size()) * 1'000'000'000 / piece.rate.hz()};
    }

    std::mutex m_mutex;
    std::deque<Piece> m_pieces;
    Length m_waiting{0};
    Length m_lost{0};
    bool m_isTold = false;
};

} // namespace vivavoce::audio
