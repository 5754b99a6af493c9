#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_set>

namespace vivavoce::broker::auth {

/// The signatures that one key was found to have made: a caller comes with the same token again and again, and a verification is dear.
/// Says nothing of what was signed: whether a token is still good is asked each time.
/// Bounded: the older half is forgotten when the younger is full. Threads: [any thread].
class GoodSignatures {
public:
    using Mark = std::array<std::uint8_t, 32>;
    /// Of exactly that message with exactly that signature.
    [[nodiscard]] static Mark markOf(std::string_view message, std::span<const std::uint8_t> signature);

    [[nodiscard]] bool has(const Mark& mark);
    void add(const Mark& mark);

private:
    struct Bucket {
        std::size_t operator()(const Mark& mark) const noexcept
        {
            std::size_t bucket = 0;
            std::memcpy(&bucket, mark.data(), sizeof bucket);
            return bucket;
        }
    };

    std::mutex m_mutex;
    std::unordered_set<Mark, Bucket> m_younger;
    std::unordered_set<Mark, Bucket> m_older;
};

} // namespace vivavoce::broker::auth
