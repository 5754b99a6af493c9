#pragma once

#include "broker/tokens/token_hasher.h"
#include "core/base/clock.h"
#include "core/base/units.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vivavoce::broker {

/// Admits so many requests of one key in any stretch of time of one length.
/// Invariant: no window [t, t + W) holds more than N admitted requests of a key; refused ones are not
/// counted. At most `maxKeys` keys are remembered: when all of them are in use a new key is treated as `whenFull` says, and an
/// old one is never forgotten. A key costs about 100 bytes, and 8 for each admission over three.
/// Threads: [any thread]; one mutex, held for memory operations only, whose number does not grow with the keys.
class SlidingWindow {
public:
    enum class WhenFull {
        Refuse,
        /// For a guard that stands before another one: strangers in great number must not shut out everybody.
        AdmitUncounted,
    };

    struct Policy {
        std::size_t maxRequests = 10;
        core::Milliseconds window{60'000};
        std::size_t maxKeys = 10'000;
        WhenFull whenFull{WhenFull::Refuse};
    };

    /// Which admission it was, for giveBack; those of one key at one time are alike. Nothing: none was counted.
    using Ticket = std::optional<core::MonotonicTime>;

    struct Decision {
        bool isAllowed = false;
        std::size_t limit = 0;
        std::size_t remaining = 0;
        /// Whole seconds, rounded up, until the oldest admitted request leaves the window; what Retry-After says.
        std::int64_t secondsToReset = 0;
        /// Refused although an earlier refusal's `secondsToReset` are not over.
        bool isViolation = false;
        Ticket ticket{};
    };

    SlidingWindow(Policy policy, const core::Clock& clock) : m_clock(clock), m_policy(policy) {}

    /// Counts one request of `key` if it is admitted.
    [[nodiscard]] Decision take(std::string_view key);
    /// How it stands with `key`: `isAllowed` says whether one more would be admitted. Counts nothing.
    [[nodiscard]] Decision look(std::string_view key) const;
    /// Takes that admission of `key` back, as if it had not been asked for. One that has left the window is not missed.
    void giveBack(std::string_view key, const Ticket& ticket);
    /// A changed limit holds from now on: what was admitted stays counted.
    void setMaxRequests(std::size_t maxRequests);
    /// The same of its length: a longer one counts from now on, of what is over already nothing is known any more.
    void setWindow(core::Milliseconds window);
    [[nodiscard]] Policy policy() const;
    [[nodiscard]] std::size_t keys() const;

private:
    /// 128 bits of a keyed hash: small, and nobody outside can choose keys that collide.
    using Key = std::array<std::uint64_t, 2>;
    struct KeyBucket {
        std::size_t operator()(const Key& key) const noexcept { return static_cast<std::size_t>(key[0]); }
    };
    struct Entry {
        /// In order, oldest first.
        std::vector<core::MonotonicTime> admitted;
        /// Until when the last refusal asked to wait.
        core::MonotonicTime waitUntil;
    };

    [[nodiscard]] Key keyOf(std::string_view key) const;
    /// Nothing: there is no room.
    [[nodiscard]] Entry* entryOf(const Key& key, core::MonotonicTime now);
    void admit(Entry& entry, core::MonotonicTime now) const;
    void dropOld(Entry& entry, core::MonotonicTime now) const;
    /// Forgets idle keys in the next `buckets` of the table.
    void sweep(std::size_t buckets, core::MonotonicTime now);

    const core::Clock& m_clock;
    const TokenHasher m_hasher;
    mutable std::mutex m_mutex;
    Policy m_policy;
    std::unordered_map<Key, Entry, KeyBucket> m_entries;
    std::size_t m_nextBucket = 0;
    std::vector<Key> m_idle;
};

} // namespace vivavoce::broker
