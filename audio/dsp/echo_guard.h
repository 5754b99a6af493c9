#pragma once

#include "core/base/units.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vivavoce::dsp {

/// Holds the microphone back while the loudspeaker plays, until the echo canceller has shown that it works in this room: it needs a second
/// or two to learn, and what it lets through till then would be taken for the user's voice.
/// After a cut it waits no longer than the echo takes to come back.
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
    /// From now on the loudspeaker gets nothing more of what it plays (a little is still on its way there): what the user says is told from the
    /// echo by its time, `judge` needs to know no more.
    void cut();
    /// A frame of 10 ms for the loudspeaker.
    void rendered(std::span<const std::int16_t> played);
    /// What is known of an echo.
    struct Echo {
        /// How alike what is heard is to what was played, 0 to 1.
        double likeness = 1;
        /// It is one for certain (EchoDelay).
        bool isFound = false;
        /// Since it was played; where it is not found, as far as the devices tell.
        core::Milliseconds age{0};
    };
    /// Frames of 10 ms: what the microphone gave and what the canceller made of it.
    [[nodiscard]] Verdict judge(
        std::span<const std::int16_t> heard, std::span<const std::int16_t> cleaned, const Echo& echo);

private:
    [[nodiscard]] std::size_t tail(const Echo& echo) const;

    bool m_isOpen = false;
    bool m_isHolding = false;
    /// Mean squares, over some hundred milliseconds of playing.
    double m_played = 0;
    double m_heard = 0;
    double m_cleaned = 0;
    std::size_t m_sincePlayed = 0;
    /// Frames that came for the loudspeaker since the last cut; unset: it plays on.
    std::optional<std::size_t> m_sinceCut;
    /// Then: what was heard before it was an echo, as far as could be told.
    std::optional<bool> m_wasLikely;
    std::size_t m_framesPlayed = 0;
    std::size_t m_framesClean = 0;
};

} // namespace vivavoce::dsp
