#include "agent/realtime/turn_detector.h"

#include <bitset>
#include <cmath>

namespace vivavoce::agent::realtime {

void TurnDetector::configure(const TurnDetection& settings)
{
    m_neededFrames = 2 + static_cast<int>(std::lround(settings.threshold * 8.0));
    m_silenceFrames = static_cast<int>(settings.silence / kFrame);
}

void TurnDetector::reset()
{
    m_recent = 0;
    m_silent = 0;
    m_isSpeaking = false;
}

TurnDetector::Change TurnDetector::accept(bool isSpeech)
{
    m_recent = ((m_recent << 1U) | (isSpeech ? 1U : 0U)) & ((1U << kWindow) - 1U);
    if (!m_isSpeaking) {
        if (static_cast<int>(std::bitset<kWindow>(m_recent).count()) < m_neededFrames) {
            return Change::None;
        }
        m_isSpeaking = true;
        m_silent = 0;
        return Change::Started;
    }
    // One frame alone is a click; two in a row are somebody who goes on.
    const bool goesOn = (m_recent & 0b11U) == 0b11U;
    m_silent = goesOn ? 0 : m_silent + 1;
    if (m_silent < m_silenceFrames) {
        return Change::None;
    }
    reset();
    return Change::Stopped;
}

} // namespace vivavoce::agent::realtime
