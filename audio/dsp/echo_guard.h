#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vivavoce::dsp {

/// Holds the microphone back while the loudspeaker plays, until the echo canceller has shown that it works in this room: it needs a second
/// or two to learn, and what it lets through till then would be taken for the user's voice.
/// Done for good once the echo is gone, or once what comes in is clearly something else, or after three and a half seconds of playing.
/// Threads: one at a time.
class EchoGuard {
public:
    /// What becomes of the frame that was just heard, and of those that are held.
    enum class Verdict {
        Pass,
        Hold,
        /// They were the user's voice, or silence.
        Release,
        /// They were an echo.
        Drop,
    };

    /// A device stumbled, and the canceller may be out of step: what it showed before is to be shown again.
    void doubt();
    /// A frame of 10 ms for the loudspeaker.
    void rendered(std::span<const std::int16_t> played);
    /// Frames of 10 ms: what the microphone gave and what the canceller made of it. `likeness`: of what is heard to what was played,
    /// 0 to 1; `isFound`: it is an echo for certain (EchoDelay).
    [[nodiscard]] Verdict judge(
        std::span<const std::int16_t> heard, std::span<const std::int16_t> cleaned, double likeness, bool isFound);

private:
    bool m_isOpen = false;
    bool m_isHolding = false;
    /// Mean squares, over some hundred milliseconds of playing.
    double m_played = 0;
    double m_heard = 0;
    double m_cleaned = 0;
    std::size_t m_sincePlayed = 0;
    std::size_t m_framesPlayed = 0;
    std::size_t m_framesClean = 0;
};

} // namespace vivavoce::dsp
