#pragma once

#include "audio/internal/two_sides.h"

#include <cstddef>
#include <deque>

namespace vivavoce::audio {

/// What waits for the disk that a recording is written to: ten seconds at most. A long silence takes its time to be written on a good disk,
/// too: what comes while it gets on does not count.
/// Threads: none of its own; its owner locks.
class RecordingBacklog {
public:
    static constexpr std::size_t kSecond = 2 * TwoSides::kRate.hz();

    void put(TwoSides::Piece piece);
    /// The oldest; there is one.
    [[nodiscard]] TwoSides::Piece take();
    /// Another second of the silence that was taken last is at the disk.
    void silenceGotOn() { m_excused = m_waiting; }
    void clear() { *this = {}; }

    [[nodiscard]] bool isEmpty() const { return m_pieces.empty(); }
    [[nodiscard]] bool isTooMuch() const { return m_waiting > m_excused + 10 * kSecond; }

private:
    std::deque<TwoSides::Piece> m_pieces;
    /// Samples, silence apart.
    std::size_t m_waiting = 0;
    /// So many of them are not the disk's fault.
    std::size_t m_excused = 0;
};

} // namespace vivavoce::audio
