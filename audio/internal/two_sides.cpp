#include "audio/internal/two_sides.h"

#include "audio/dsp/echo_canceller.h"
#include "core/base/thread_role.h"

#include <algorithm>
#include <utility>

namespace vivavoce::audio {
namespace {

constexpr std::int64_t kSecond = TwoSides::kRate.hz();
/// Counts of two resamplers differ by a sample or two; less than a millisecond is nothing that one hears.
constexpr std::int64_t kTogether = kSecond / 1'000;
/// What two clocks drift apart in a second is far less: this was lost.
constexpr std::int64_t kLost = 15 * kSecond / 1'000;
/// On its way from the device's callback when somebody decides.
constexpr std::int64_t kMargin = 20 * kSecond / 1'000;

} // namespace

core::Expected<TwoSides, core::Error> TwoSides::create(Time now)
{
    auto usersDown = dsp::Resampler::create(dsp::EchoCanceller::kRate, kRate);
    auto agentsDown = dsp::Resampler::create(dsp::EchoCanceller::kRate, kRate);
    if (!usersDown || !agentsDown) {
        return core::Unexpected<core::Error>(usersDown ? agentsDown.error() : usersDown.error());
    }
    return TwoSides(std::move(*usersDown), std::move(*agentsDown), now);
}

TwoSides::TwoSides(dsp::Resampler usersDown, dsp::Resampler agentsDown, Time now)
    : m_usersDown(std::move(usersDown)), m_agentsDown(std::move(agentsDown)), m_start(now)
{
    // Nobody knows yet what runs.
    m_user.unwanted = m_agent.unwanted = -1;
}

void TwoSides::change(const Devices& devices, Time now)
{
    core::assertRole(core::ThreadRole::Worker);
    if (m_user.unwanted < 0) {
        keepSecret(devices);
    }
    if (m_user.samples.empty() && m_agent.samples.empty()) {
        m_shift = 0;
    }
    if (!devices.microphone && !devices.loudspeaker) {
        m_isByClock = true;
        m_hasCome = false;
    }
    if (m_isByClock) {
        catchUp(now, 0);
    }
    if (devices.microphone && devices.loudspeaker) {
        pad(lead(devices));
        shift(devices);
    }
    watchAnew();
}

void TwoSides::pause(const Devices& devices, bool isPaused)
{
    core::assertRole(core::ThreadRole::Worker);
    if (std::exchange(m_isPaused, isPaused) && !isPaused) {
        keepSecret(devices);
        // They are here already.
        std::fill(m_user.samples.begin(), m_user.samples.end(), std::int16_t{0});
        std::fill(m_agent.samples.begin(), m_agent.samples.end(), std::int16_t{0});
    }
}

/// What is still on its way was said before.
void TwoSides::keepSecret(const Devices& devices)
{
    const auto before = [](const std::optional<Side>& side) {
        return side ? side->inside + side->latency + kMargin : std::int64_t{0};
    };
    m_user.unwanted = before(devices.microphone) + (devices.microphone ? std::max<std::int64_t>(devices.lag, 0) : 0);
    m_agent.unwanted = before(devices.loudspeaker);
}

void TwoSides::put(Queue& queue, std::span<const std::int16_t> voice)
{
    const auto secret =
        static_cast<std::size_t>(std::clamp<std::int64_t>(queue.unwanted, 0, static_cast<std::int64_t>(voice.size())));
    queue.samples.insert(queue.samples.end(), secret, std::int16_t{0});
    queue.unwanted -= static_cast<std::int64_t>(secret);
    queue.samples.insert(queue.samples.end(), voice.begin() + static_cast<std::ptrdiff_t>(secret), voice.end());
    if (queue.doubled > 0 && !voice.empty()) {
        --queue.doubled;
        queue.samples.push_back(queue.samples.back());
    }
}

void TwoSides::put(Queue& queue, std::int64_t silence)
{
    queue.samples.insert(
        queue.samples.end(), static_cast<std::size_t>(std::max<std::int64_t>(silence, 0)), std::int16_t{0});
}

void TwoSides::said(std::span<const std::int16_t> voice)
{
    m_hasCome = true;
    put(m_user, voice);
}

void TwoSides::saidWide(std::span<const std::int16_t> wide)
{
    said(m_usersDown.process(wide));
}

void TwoSides::heard(std::span<const std::int16_t> wide)
{
    m_hasCome = m_hasCome || !wide.empty();
    put(m_agent, m_agentsDown.process(wide));
}

/// The agent's side is where the user hears it.
void TwoSides::shift(const Devices& devices)
{
    const std::int64_t wanted = devices.microphone->latency + devices.loudspeaker->latency + devices.lag;
    put(wanted > m_shift ? m_agent : m_user, std::abs(wanted - m_shift));
    m_shift = wanted;
}

/// How much more has come of the user than of the agent.
std::int64_t TwoSides::lead(const Devices& devices) const
{
    return m_user.size() + devices.microphone->inside + m_shift - m_agent.size() - devices.loudspeaker->inside;
}

void TwoSides::pad(std::int64_t lead)
{
    put(lead > 0 ? m_agent : m_user, std::abs(lead));
}

std::int64_t TwoSides::passed() const
{
    return m_done + m_silence + std::max(m_user.size(), m_agent.size());
}

void TwoSides::watchAnew()
{
    m_least = std::numeric_limits<std::int64_t>::max();
    m_most = std::numeric_limits<std::int64_t>::min();
    m_watchedFrom = passed();
}

/// Who was behind during all of a second will not come after.
void TwoSides::watch(const Devices& devices)
{
    const std::int64_t now = lead(devices);
    m_least = std::min(m_least, now);
    m_most = std::max(m_most, now);
    if (passed() < m_watchedFrom + kSecond) {
        return;
    }
    const std::int64_t off = m_least > 0 ? m_least : std::min<std::int64_t>(m_most, 0);
    // What is left of the last second's is in this one's.
    m_user.doubled = m_agent.doubled = 0;
    if (std::abs(off) > kLost) {
        pad(off);
    } else if (std::abs(off) > kTogether) {
        (off > 0 ? m_agent : m_user).doubled = std::abs(off);
    }
    watchAnew();
}

/// All but what has come already.
void TwoSides::catchUp(Time now, std::int64_t come)
{
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(now - m_start).count();
    m_silence += std::max<std::int64_t>(passed * kSecond / 1'000'000 - m_done - m_silence - come, 0);
}

/// A device that is open may take a second to give its first sample.
void TwoSides::countByClock(const Devices& devices, Time now)
{
    std::int64_t come = 0;
    if (devices.microphone) {
        come = m_user.size() + devices.microphone->inside;
    }
    if (devices.loudspeaker) {
        come = std::max(come, m_agent.size() + devices.loudspeaker->inside - m_shift);
    }
    const bool hasInside = (devices.microphone && devices.microphone->inside > 0)
        || (devices.loudspeaker && devices.loudspeaker->inside > 0);
    m_isByClock = !m_hasCome && !hasInside;
    catchUp(now, m_isByClock ? 0 : come);
}

TwoSides::Piece TwoSides::take(const Devices& devices, Time now)
{
    core::assertRole(core::ThreadRole::Worker);
    const bool isBoth = devices.microphone && devices.loudspeaker;
    if (isBoth) {
        watch(devices);
    }
    if (m_isByClock) {
        countByClock(devices, now);
    }
    const auto frames = static_cast<std::size_t>(
        isBoth ? std::min(m_user.size(), m_agent.size()) : std::max(m_user.size(), m_agent.size()));
    m_user.samples.resize(std::max(m_user.samples.size(), frames));
    m_agent.samples.resize(std::max(m_agent.samples.size(), frames));
    Piece piece;
    if (m_isPaused) {
        m_silence += static_cast<std::int64_t>(frames);
    } else {
        piece.samples.reserve(2 * frames);
        for (std::size_t i = 0; i < frames; ++i) {
            piece.samples.push_back(m_user.samples[i]);
            piece.samples.push_back(m_agent.samples[i]);
        }
        piece.silence = std::exchange(m_silence, 0);
        m_done += piece.silence + static_cast<std::int64_t>(frames);
    }
    m_user.samples.erase(m_user.samples.begin(), m_user.samples.begin() + static_cast<std::ptrdiff_t>(frames));
    m_agent.samples.erase(m_agent.samples.begin(), m_agent.samples.begin() + static_cast<std::ptrdiff_t>(frames));
    if (!isBoth) {
        m_shift = 0;
    }
    return piece;
}

} // namespace vivavoce::audio
