#include "audio/dsp/echo_guard.h"

#include <algorithm>
#include <utility>

namespace vivavoce::dsp {
namespace {

/// -55 dBFS: less is no sound that a room gives back.
constexpr double kAudible = 60.0 * 60.0;
/// The farthest echo that the canceller takes away, and its reverberation.
constexpr std::size_t kTail = 60;
/// Of a cut: the room's reverberation alone; and what devices tell of their latency may be short by that much.
constexpr std::size_t kReverberation = 15;
constexpr std::size_t kUntold = 15;
/// In so many frames after a cut the last of what was cut has been played; what plays later is another reply.
constexpr std::size_t kCutIsThrough = 10;
constexpr core::Milliseconds kFrame{10};
/// By then something else than an echo is known by its being unlike; what is alike has some more time to go away.
constexpr std::size_t kKnownAfter = 250;
constexpr std::size_t kAtMost = 350;
/// For how long a canceller that has worked before may be doubted.
constexpr std::size_t kDoubt = 100;
/// Frames for which the echo has to have been gone.
constexpr std::size_t kProof = 40;
/// Before these nothing can have come back from a loudspeaker that tells its latency wrong.
constexpr std::size_t kFirstJudgement = 100;
/// After two and a half seconds an echo comes to this and more, other sounds once in a while (EchoDelay; measured).
constexpr double kAlike = 0.5;
/// 18 dB less than what came in; and 45 dB less than what was played is no echo.
constexpr double kGone = 0.016;
constexpr double kNoEcho = 3.2e-5;
/// A mean over 200 ms.
constexpr double kForget = 0.05;

double meanSquare(std::span<const std::int16_t> samples)
{
    double sum = 0;
    for (const std::int16_t sample : samples) {
        sum += static_cast<double>(sample) * static_cast<double>(sample);
    }
    return samples.empty() ? 0 : sum / static_cast<double>(samples.size());
}

} // namespace

void EchoGuard::doubt()
{
    if (m_isOpen) {
        m_isOpen = false;
        m_framesPlayed = kAtMost - kDoubt;
        m_framesClean = 0;
        m_heard = m_cleaned = 0;
    }
}

void EchoGuard::cut()
{
    m_sinceCut = 0;
    m_wasLikely.reset();
}

/// For so many frames after the last sound of the loudspeaker its echo may still come.
std::size_t EchoGuard::tail(const Echo& echo) const
{
    if (!m_sinceCut) {
        return kTail;
    }
    const auto age = static_cast<std::size_t>(std::max(echo.age, core::Milliseconds{0}) / kFrame);
    return std::min(kTail, age + kReverberation + (echo.isFound ? 0 : kUntold));
}

void EchoGuard::rendered(std::span<const std::int16_t> played)
{
    const double loudness = meanSquare(played);
    if (m_sinceCut && ++*m_sinceCut > kCutIsThrough && loudness >= kAudible) {
        m_sinceCut.reset();
    }
    if (loudness >= kAudible) {
        m_played += kForget * (loudness - m_played);
        m_sincePlayed = 0;
        ++m_framesPlayed;
    }
}

EchoGuard::Verdict EchoGuard::judge(
    std::span<const std::int16_t> heard, std::span<const std::int16_t> cleaned, const Echo& echo)
{
    const bool isQuiet = ++m_sincePlayed > tail(echo);
    if (m_isOpen) {
        return Verdict::Pass;
    }
    bool isLikely = echo.isFound || echo.likeness >= kAlike;
    if (m_sinceCut) {
        // What comes after a cut is the user, and unlike: it says nothing about what came before.
        isLikely = m_wasLikely.value_or(isLikely);
        m_wasLikely = isLikely;
    }
    if (m_framesPlayed == 0 || isQuiet) {
        // Too short a reply to tell; the next one will.
        const bool wasHolding = std::exchange(m_isHolding, false);
        return !wasHolding ? Verdict::Pass : isLikely ? Verdict::Drop : Verdict::Release;
    }
    m_heard += kForget * (meanSquare(heard) - m_heard);
    m_cleaned += kForget * (meanSquare(cleaned) - m_cleaned);
    const bool isEcho = m_heard > kNoEcho * m_played;
    const bool isGone = !isEcho || m_cleaned < kGone * m_heard;
    m_framesClean = isGone ? m_framesClean + 1 : 0;
    const bool isElse = m_framesPlayed >= kKnownAfter && !isLikely;
    const bool isProved = m_framesPlayed >= kFirstJudgement && m_framesClean >= kProof;
    const bool isLate = m_framesPlayed >= kAtMost;
    m_isOpen = isElse || isProved || isLate;
    if (m_isOpen) {
        // In so much time an echo is found: better a word of the agent's too many than one of the user's too few.
        return echo.isFound || (isLikely && !isLate) ? Verdict::Drop : Verdict::Release;
    }
    m_isHolding = true;
    return Verdict::Hold;
}

} // namespace vivavoce::dsp
