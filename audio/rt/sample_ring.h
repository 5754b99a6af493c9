#pragma once

#include "audio/rt/realtime.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vivavoce::audio::rt {

/// Samples from one thread to one other, wait-free at both ends. Drops nothing by itself: `write` takes what fits and says how much.
/// Positions count samples since the beginning and never wrap in practice (2^64).
/// Threads: one writer, one reader; the positions may be read by anybody.
class SampleRing {
public:
    explicit SampleRing(std::size_t capacity) : m_samples(capacity) {}
    SampleRing(const SampleRing&) = delete;
    SampleRing& operator=(const SampleRing&) = delete;

    /// [writer] How many samples were taken.
    std::size_t write(std::span<const std::int16_t> samples) VV_REALTIME
    {
        const std::uint64_t end = m_written.load(std::memory_order_relaxed);
        const std::uint64_t used = end - m_read.load(std::memory_order_acquire);
        const std::size_t count = std::min(samples.size(), m_samples.size() - static_cast<std::size_t>(used));
        const std::size_t at = static_cast<std::size_t>(end % m_samples.size());
        const std::size_t first = std::min(count, m_samples.size() - at);
        std::copy_n(samples.data(), first, m_samples.data() + at);
        std::copy_n(samples.data() + first, count - first, m_samples.data());
        m_written.store(end + count, std::memory_order_release);
        return count;
    }

    /// [reader] How many samples were given.
    std::size_t read(std::span<std::int16_t> out) VV_REALTIME
    {
        const std::uint64_t begin = m_read.load(std::memory_order_relaxed);
        const std::uint64_t there = m_written.load(std::memory_order_acquire) - begin;
        const std::size_t count = std::min(out.size(), static_cast<std::size_t>(there));
        const std::size_t at = static_cast<std::size_t>(begin % m_samples.size());
        const std::size_t first = std::min(count, m_samples.size() - at);
        std::copy_n(m_samples.data() + at, first, out.data());
        std::copy_n(m_samples.data(), count - first, out.data() + first);
        m_read.store(begin + count, std::memory_order_release);
        return count;
    }

    /// [reader] Drops what was written before `position`.
    void skipTo(std::uint64_t position) VV_REALTIME
    {
        const std::uint64_t begin = m_read.load(std::memory_order_relaxed);
        const std::uint64_t end = m_written.load(std::memory_order_acquire);
        m_read.store(std::clamp(position, begin, end), std::memory_order_release);
    }

    [[nodiscard]] std::uint64_t written() const VV_REALTIME { return m_written.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint64_t taken() const VV_REALTIME { return m_read.load(std::memory_order_acquire); }
    [[nodiscard]] std::size_t fill() const VV_REALTIME
    {
        // The reader's position first: it never passes the writer's that is read after it.
        const std::uint64_t begin = taken();
        return static_cast<std::size_t>(written() - begin);
    }
    [[nodiscard]] std::size_t capacity() const VV_REALTIME { return m_samples.size(); }

private:
    std::vector<std::int16_t> m_samples;
    // On lines of their own, or each end would slow the other down.
    alignas(64) std::atomic<std::uint64_t> m_written{0};
    alignas(64) std::atomic<std::uint64_t> m_read{0};

    // Why this is right. Each position has one thread that changes it, so loading one's own is relaxed. The writer's release of
    // m_written comes after its copy, and the reader acquires it before its own: what the reader sees as written is written. The
    // reader's release of m_read comes after its copy, and the writer acquires it before the next: what the writer overwrites has
    // been read. m_read <= m_written <= m_read + capacity holds at all times, for either side moves its position only by what it
    // has seen of the other's, and the other's only grows.
};

} // namespace vivavoce::audio::rt
