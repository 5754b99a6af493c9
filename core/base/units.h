#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace vivavoce::core {

using Milliseconds = std::chrono::milliseconds;

/// A sampling rate in Hz. Valid from 8,000 to 192,000.
class SampleRate {
public:
    static constexpr std::uint32_t kLowest = 8'000;
    static constexpr std::uint32_t kHighest = 192'000;

    constexpr SampleRate() = default;
    constexpr explicit SampleRate(std::uint32_t hz) : m_hz(hz) {}

    [[nodiscard]] constexpr std::uint32_t hz() const { return m_hz; }
    [[nodiscard]] constexpr bool isValid() const { return m_hz >= kLowest && m_hz <= kHighest; }
    constexpr auto operator<=>(const SampleRate&) const = default;

private:
    std::uint32_t m_hz = 0;
};

/// What OpenAI Realtime speaks both ways ("audio/pcm", rate 24000).
inline constexpr SampleRate kRealtimeRate{24'000};
/// What speech recognisers and Gemini Live take.
inline constexpr SampleRate kSpeechRate{16'000};

/// A count of sample frames: one sample of every channel.
class FrameCount {
public:
    constexpr FrameCount() = default;
    constexpr explicit FrameCount(std::int64_t frames) : m_frames(frames) {}

    [[nodiscard]] constexpr std::int64_t value() const { return m_frames; }
    /// Whole milliseconds, rounded down: never claims more than there was.
    [[nodiscard]] constexpr Milliseconds duration(SampleRate rate) const
    {
        return rate.hz() == 0 ? Milliseconds{0} : Milliseconds{m_frames * 1000 / static_cast<std::int64_t>(rate.hz())};
    }
    static constexpr FrameCount of(Milliseconds duration, SampleRate rate)
    {
        return FrameCount{duration.count() * static_cast<std::int64_t>(rate.hz()) / 1000};
    }

    constexpr auto operator<=>(const FrameCount&) const = default;
    constexpr FrameCount& operator+=(FrameCount other)
    {
        m_frames += other.m_frames;
        return *this;
    }
    constexpr FrameCount& operator-=(FrameCount other)
    {
        m_frames -= other.m_frames;
        return *this;
    }
    friend constexpr FrameCount operator+(FrameCount a, FrameCount b) { return a += b; }
    friend constexpr FrameCount operator-(FrameCount a, FrameCount b) { return a -= b; }

private:
    std::int64_t m_frames = 0;
};

/// Interleaved channels in one frame.
class ChannelCount {
public:
    constexpr ChannelCount() = default;
    constexpr explicit ChannelCount(std::uint16_t channels) : m_channels(channels) {}
    [[nodiscard]] constexpr std::uint16_t value() const { return m_channels; }
    constexpr auto operator<=>(const ChannelCount&) const = default;

private:
    std::uint16_t m_channels = 1;
};

} // namespace vivavoce::core
