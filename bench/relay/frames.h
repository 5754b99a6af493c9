#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vivavoce::bench {

/// The first byte of a frame that is whole.
inline constexpr unsigned kText = 0x81;
inline constexpr unsigned kClose = 0x88;
inline constexpr unsigned kPing = 0x89;
inline constexpr unsigned kPong = 0x8A;

/// The bytes of a WebSocket frame. A client's is masked with zeros: whoever unmasks it has all the work, and we have none.
[[nodiscard]] std::string frame(unsigned firstByte, std::string_view payload, bool isMasked);

/// A frame at the beginning of what was received.
struct FrameView {
    unsigned firstByte = 0;
    std::string_view payload;
    /// Four bytes, or nothing.
    std::string_view mask;
    /// Of the whole frame. 0: it is not all there yet.
    std::size_t size = 0;

    [[nodiscard]] char at(std::size_t index) const
    {
        return mask.empty() ? payload[index] : static_cast<char>(payload[index] ^ mask[index % 4]);
    }
};
[[nodiscard]] FrameView firstFrame(std::string_view received);

/// An event with sound in it, ready to be sent again and again: only its time and its number change.
class SoundMessage {
public:
    enum class From { Client, Provider };

    /// `size`: of the payload, about.
    SoundMessage(From from, std::size_t size);
    [[nodiscard]] std::string_view stamped(std::uint64_t time, std::uint64_t number);

    struct Stamp {
        std::uint64_t time = 0;
        std::uint64_t number = 0;
    };
    /// Of one that came.
    [[nodiscard]] static Stamp stampOf(const FrameView& frame, From from);

private:
    std::string m_bytes;
    std::size_t m_stampAt;
};

/// Sec-WebSocket-Accept (RFC 6455 §4.2.2).
[[nodiscard]] std::string acceptKey(std::string_view key);

} // namespace vivavoce::bench
