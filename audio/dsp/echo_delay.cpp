#include "audio/dsp/echo_delay.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vivavoce::dsp {
namespace {

constexpr std::size_t kStepsInFrame = 5;
constexpr core::Milliseconds kStep{2};
/// Three seconds of speech have enough syllables.
constexpr std::size_t kHistory = 1500;
constexpr std::size_t kLongestLag = 250;
/// A second of what is played, in it: two voices that begin together are as alike as can be for as long as there is no more than that.
constexpr std::size_t kFirstLook = 500;
/// Above the noise of a quiet line.
constexpr float kAudible = 3.0F;
/// Powers of ten in a step: the rise out of silence is not to outweigh all syllables that follow.
constexpr float kMost = 0.5F;
constexpr std::size_t kCompareEvery = 125;
/// Sounds that have nothing to do with each other come to 0.25, once in a while to 0.45; an echo to 0.8 and more (measured).
constexpr double kLeast = 0.55;
/// Two findings in a row must agree.
constexpr std::size_t kSame = 4;

} // namespace

void EchoDelay::Onsets::add(std::span<const std::int16_t> frame)
{
    const std::size_t length = frame.size() / kStepsInFrame;
    for (std::size_t step = 0; step < kStepsInFrame; ++step) {
        float energy = 1.0F;
        for (const std::int16_t sample : frame.subspan(step * length, length)) {
            energy += static_cast<float>(sample) * static_cast<float>(sample);
        }
        const float loudness = std::log10(energy / static_cast<float>(length) + 30.0F);
        steps.push_back(std::clamp(loudness - last, 0.0F, kMost));
        audible.push_back(loudness >= kAudible);
        // A short memory, so that the pulses of a voice are not taken for syllables.
        last = std::max(loudness, last - 0.06F);
    }
    if (steps.size() > kHistory) {
        steps.erase(steps.begin(), steps.end() - static_cast<std::ptrdiff_t>(kHistory));
        audible.erase(audible.begin(), audible.end() - static_cast<std::ptrdiff_t>(kHistory));
    }
}

void EchoDelay::add(std::span<const std::int16_t> played, std::span<const std::int16_t> heard)
{
    m_played.add(played);
    m_heard.add(heard);
    m_sinceCompared += kStepsInFrame;
    if (m_played.steps.size() >= kFirstLook && m_sinceCompared >= kCompareEvery) {
        m_sinceCompared = 0;
        const auto& audible = m_played.audible;
        if (std::count(audible.begin(), audible.end(), true) >= static_cast<std::ptrdiff_t>(kFirstLook)) {
            compare();
        }
    }
}

void EchoDelay::compare()
{
    const std::size_t count = m_played.steps.size();
    // Onsets are never negative: without their mean taken out any two sounds are alike.
    const auto meanOf = [count](const Onsets& onsets) {
        return std::accumulate(onsets.steps.begin(), onsets.steps.end(), 0.0) / static_cast<double>(count);
    };
    const double playedMean = meanOf(m_played);
    const double heardMean = meanOf(m_heard);
    double best = 0;
    std::size_t bestLag = 0;
    for (std::size_t lag = 0; lag < std::min(kLongestLag, count / 2); ++lag) {
        double both = 0;
        double one = 1e-6;
        double other = 1e-6;
        for (std::size_t i = lag; i < count; ++i) {
            const double a = m_played.steps[i - lag] - playedMean;
            const double b = m_heard.steps[i] - heardMean;
            both += a * b;
            one += a * a;
            other += b * b;
        }
        if (const double likeness = both / std::sqrt(one * other); likeness > best) {
            best = likeness;
            bestLag = lag;
        }
    }
    m_likeness = best;
    if (best < kLeast) {
        m_candidate.reset();
        return;
    }
    const auto isSame = [](std::size_t a, std::size_t b) { return (a > b ? a - b : b - a) <= kSame; };
    if (m_candidate && isSame(*m_candidate, bestLag)) {
        m_delay = kStep * static_cast<core::Milliseconds::rep>(bestLag);
    }
    m_candidate = bestLag;
}

} // namespace vivavoce::dsp
