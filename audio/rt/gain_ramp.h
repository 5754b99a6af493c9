#pragma once

#include "audio/rt/realtime.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace vivavoce::audio::rt {

/// Takes a stream from full to silent along a straight line, so that a cut does not click.
class GainRamp {
public:
    void start(std::size_t frames) VV_REALTIME
    {
        m_length = frames;
        m_left = frames;
    }
    [[nodiscard]] std::size_t left() const VV_REALTIME { return m_left; }

    /// At most `left()` samples.
    void apply(std::span<std::int16_t> samples) VV_REALTIME
    {
        for (std::int16_t& sample : samples) {
            m_left -= m_left > 0 ? 1 : 0;
            sample = static_cast<std::int16_t>(static_cast<std::int64_t>(sample) * static_cast<std::int64_t>(m_left)
                / static_cast<std::int64_t>(m_length));
        }
    }

private:
    std::size_t m_length = 1;
    std::size_t m_left = 0;
};

} // namespace vivavoce::audio::rt
