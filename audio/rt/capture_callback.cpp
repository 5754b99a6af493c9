#include "audio/rt/capture_callback.h"

#include <algorithm>
#include <array>
#include <span>

namespace vivavoce::audio::rt {
namespace {

constexpr std::size_t kPiece = 256;

} // namespace

void CaptureCallback::operator()(const std::int16_t* samples, std::size_t frames, std::size_t channels) VV_REALTIME
{
    const RealtimeScope scope;
    m_frames.fetch_add(frames, std::memory_order_relaxed);
    std::array<std::int16_t, kPiece> mono;
    while (frames > 0) {
        const std::size_t piece = std::min(frames, kPiece);
        for (std::size_t i = 0; i < piece; ++i) {
            int sum = 0;
            for (std::size_t channel = 0; channel < channels; ++channel) {
                sum += samples[i * channels + channel];
            }
            mono[i] = static_cast<std::int16_t>(sum / static_cast<int>(channels));
        }
        const std::size_t taken = m_ring.write(std::span(mono).first(piece));
        m_dropped.fetch_add(piece - taken, std::memory_order_relaxed);
        samples += piece * channels;
        frames -= piece;
    }
}

} // namespace vivavoce::audio::rt
