#pragma once

#include "core/base/units.h"
#include "core/ports/voice_io.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::audio {

/// Replies in the order in which they are to be heard, and how far each one is. PCM16 mono at one rate. Unbounded: providers send
/// faster than real time, and what is said is not dropped.
/// The start of an item, and of what follows a gap in it, waits for a little more to come (`preBuffer`), or for its end.
/// `take` gives out and `heardUpTo` learns what has reached the ear: both count every sample given out since the beginning,
/// silence included.
/// Threads: none of its own; its owner locks.
class PlayoutQueue {
public:
    explicit PlayoutQueue(core::Milliseconds preBuffer);

    /// Of all that comes and goes from now on, positions and what is queued included; kRealtimeRate, unless told.
    void useRate(core::SampleRate rate);
    [[nodiscard]] core::SampleRate rate() const { return m_rate; }
    void play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples);
    void finishItem(std::string_view itemId);

    /// Fills `out`, with silence where there is nothing to play.
    void take(std::span<std::int16_t> out);
    /// Drops all that was not given out yet, and tells how much of the item at the ear was heard. `heard`: as in heardUpTo.
    [[nodiscard]] core::HeardAudio cut(std::uint64_t heard);
    /// The same, and drops nothing.
    [[nodiscard]] core::HeardAudio at(std::uint64_t heard) const;
    /// Samples given out so far.
    [[nodiscard]] std::uint64_t given() const { return m_given; }

    /// Forgets what has been heard to its end. True: that was the last of it, all is quiet now.
    [[nodiscard]] bool heardUpTo(std::uint64_t heard);
    /// Something is queued or on its way to the ear.
    [[nodiscard]] bool isPlaying() const { return !m_items.empty(); }
    /// That item is the last one, and not forgotten yet.
    [[nodiscard]] bool endsWith(std::string_view itemId) const
    {
        return !m_items.empty() && m_items.back().id == itemId;
    }
    /// Milliseconds that were silent in the middle of an item because more of it was late.
    [[nodiscard]] core::Milliseconds starved() const;

private:
    struct Item {
        std::string id;
        int contentIndex = 0;
        std::vector<std::int16_t> samples;
        std::size_t taken = 0;
        bool isFinished = false;
        /// Where its samples went: pieces of what was given out.
        struct Stretch {
            std::uint64_t begin;
            std::size_t size;
        };
        std::deque<Stretch> stretches;
        /// Waits for enough to begin, or to go on.
        bool isWaiting = true;
        [[nodiscard]] std::size_t heardAt(std::uint64_t position) const;
        [[nodiscard]] bool isThrough() const { return isFinished && taken == samples.size(); }
    };

    [[nodiscard]] std::size_t takeFrom(Item& item, std::span<std::int16_t> out);

    /// At that rate as many samples as `count` were at the present one.
    [[nodiscard]] std::uint64_t scaled(std::uint64_t count, core::SampleRate rate) const;
    void scale(Item& item, core::SampleRate rate) const;

    const core::Milliseconds m_preBuffer;
    core::SampleRate m_rate = core::kRealtimeRate;
    std::deque<Item> m_items;
    std::uint64_t m_given = 0;
    std::uint64_t m_starved = 0;
};

} // namespace vivavoce::audio
