#include "audio/internal/recording_backlog.h"

#include <algorithm>
#include <utility>

namespace vivavoce::audio {

void RecordingBacklog::put(TwoSides::Piece piece)
{
    m_waiting += piece.samples.size();
    if (!m_pieces.empty() && m_pieces.back().samples.empty()) {
        m_pieces.back().silence += piece.silence;
        m_pieces.back().samples = std::move(piece.samples);
    } else {
        m_pieces.push_back(std::move(piece));
    }
}

TwoSides::Piece RecordingBacklog::take()
{
    TwoSides::Piece piece = std::move(m_pieces.front());
    m_pieces.pop_front();
    m_waiting -= piece.samples.size();
    m_excused = std::min(m_excused, m_waiting);
    return piece;
}

} // namespace vivavoce::audio
