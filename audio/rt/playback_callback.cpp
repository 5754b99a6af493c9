#include "audio/rt/playback_callback.h"

#include <algorithm>
#include <array>
#include <span>

namespace vivavoce::audio::rt {
namespace {

constexpr std::size_t kPiece = 256;

} // namespace

void PlaybackCallback::operator()(std::int16_t* out, std::size_t frames, std::size_t channels) VV_REALTIME
{
    const RealtimeScope scope;
    m_frames.fetch_add(frames, std::memory_order_relaxed);
    if (frames > m_longestCall.load(std::memory_order_relaxed)) {
        m_longestCall.store(frames, std::memory_order_relaxed);
    }
    std::array<std::int16_t, kPiece> mono;
    while (frames > 0) {
        const std::size_t piece = std::min(frames, kPiece);
        const std::size_t there = fill(mono.data(), piece);
        std::fill(mono.data() + there, mono.data() + piece, std::int16_t{0});
        m_starved.fetch_add(piece - there, std::memory_order_relaxed);
        for (std::size_t i = 0; i < piece; ++i) {
            std::fill_n(out + i * channels, channels, mono[i]);
        }
        if (m_played != nullptr) {
            m_played->write({mono.data(), piece});
        }
        out += piece * channels;
        frames -= piece;
    }
}

/// How many samples came of the ring.
std::size_t PlaybackCallback::fill(std::int16_t* mono, std::size_t frames) VV_REALTIME
{
    const std::uint64_t cutAt = m_cutAt.load(std::memory_order_acquire);
    if (cutAt != m_cutting) {
        m_cutting = cutAt;
        const std::uint64_t begin = m_ring.taken();
        // A second cut while the first one fades goes on with its ramp.
        if (m_ramp.left() == 0 && cutAt > begin) {
            m_ramp.start(static_cast<std::size_t>(std::min<std::uint64_t>(cutAt - begin, m_rampFrames)));
        }
    }
    std::size_t done = 0;
    if (m_ramp.left() > 0) {
        done = m_ring.read({mono, std::min(frames, m_ramp.left())});
        m_ramp.apply({mono, done});
        if (m_ramp.left() > 0) {
            return done;
        }
    }
    m_ring.skipTo(m_cutting);
    return done + m_ring.read({mono + done, frames - done});
}

} // namespace vivavoce::audio::rt
