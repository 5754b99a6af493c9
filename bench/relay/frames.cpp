#include "bench/relay/frames.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace vivavoce::bench {
namespace {

constexpr std::string_view kFromClient = R"({"type":"input_audio_buffer.append","audio":")";
constexpr std::string_view kFromProvider =
    R"({"type":"response.output_audio.delta","event_id":"event_0123456789abcdef",)"
    R"("response_id":"resp_0123456789abcdef","item_id":"item_0123456789abcdef",)"
    R"("output_index":0,"content_index":0,"delta":")";
constexpr std::string_view kEnd = R"("})";
/// In hexadecimal digits, which are letters of base64 as well.
constexpr std::size_t kDigits = 16;

std::string_view beginning(SoundMessage::From from)
{
    return from == SoundMessage::From::Client ? kFromClient : kFromProvider;
}

void write(std::uint64_t value, char* to)
{
    for (std::size_t i = kDigits; i > 0; --i, value >>= 4U) {
        to[i - 1] = "0123456789abcdef"[value & 15U];
    }
}

std::uint64_t read(const FrameView& frame, std::size_t from)
{
    std::uint64_t value = 0;
    for (std::size_t i = from; i < from + kDigits; ++i) {
        const char digit = frame.at(i);
        value = value << 4U | static_cast<std::uint64_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    return value;
}

} // namespace

std::string frame(unsigned firstByte, std::string_view payload, bool isMasked)
{
    std::string bytes(1, static_cast<char>(firstByte));
    const unsigned maskBit = isMasked ? 0x80U : 0U;
    const std::size_t size = payload.size();
    const int lengthBytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
    bytes += static_cast<char>(maskBit
        | (lengthBytes == 0        ? static_cast<unsigned>(size)
                : lengthBytes == 2 ? 126
                                   : 127));
    for (int i = lengthBytes - 1; i >= 0; --i) {
        bytes += static_cast<char>(size >> (8 * i) & 0xFFU);
    }
    bytes.append(isMasked ? 4 : 0, '\0');
    return bytes.append(payload);
}

FrameView firstFrame(std::string_view received)
{
    FrameView found;
    if (received.size() < 2) {
        return found;
    }
    const auto byteAt = [&](std::size_t i) {
        return static_cast<std::size_t>(static_cast<unsigned char>(received[i]));
    };
    std::size_t length = byteAt(1) & 0x7FU;
    const std::size_t lengthBytes = length < 126 ? 0 : length == 126 ? 2 : 8;
    const std::size_t maskBytes = (byteAt(1) & 0x80U) != 0 ? 4 : 0;
    const std::size_t head = 2 + lengthBytes + maskBytes;
    if (received.size() < head) {
        return found;
    }
    if (lengthBytes > 0) {
        length = 0;
        for (std::size_t i = 0; i < lengthBytes; ++i) {
            length = length << 8U | byteAt(2 + i);
        }
    }
    if (received.size() - head < length) {
        return found;
    }
    found.firstByte = static_cast<unsigned>(byteAt(0));
    found.mask = received.substr(2 + lengthBytes, maskBytes);
    found.payload = received.substr(head, length);
    found.size = head + length;
    return found;
}

SoundMessage::SoundMessage(From from, std::size_t size)
{
    std::string text(beginning(from));
    const std::size_t least = text.size() + 2 * kDigits + kEnd.size();
    text.append(2 * kDigits, '0');
    // Whole groups of base64, which look like sound.
    for (std::size_t i = 0; i < (std::max(size, least) - least) / 4 * 4; ++i) {
        text += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[i * 29 % 64];
    }
    text += kEnd;
    const std::size_t stampInText = beginning(from).size();
    m_bytes = frame(kText, text, from == From::Client);
    m_stampAt = m_bytes.size() - text.size() + stampInText;
}

std::string_view SoundMessage::stamped(std::uint64_t time, std::uint64_t number)
{
    write(time, m_bytes.data() + m_stampAt);
    write(number, m_bytes.data() + m_stampAt + kDigits);
    return m_bytes;
}

SoundMessage::Stamp SoundMessage::stampOf(const FrameView& frame, From from)
{
    const std::size_t at = beginning(from).size();
    if (frame.payload.size() < at + 2 * kDigits) {
        return {};
    }
    return {read(frame, at), read(frame, at + kDigits)};
}

std::string acceptKey(std::string_view key)
{
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
    std::array<unsigned char, 64> encoded{};
    const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
    return {encoded.begin(), encoded.begin() + length};
}

} // namespace vivavoce::bench
