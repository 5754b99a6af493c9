#include "core/base/base64.h"

#include <array>
#include <utility>

namespace vivavoce::core {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kInvalid = 0xFF;

constexpr std::array<std::uint8_t, 256> decodeTable(std::string_view alphabet)
{
    std::array<std::uint8_t, 256> table{};
    table.fill(kInvalid);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return table;
}
constexpr auto kDecode = decodeTable(kStandard);
constexpr auto kDecodeUrlSafe = decodeTable(kUrlSafe);

enum class Padding { No, Yes };

std::string encodeWith(std::string_view alphabet, std::span<const std::uint8_t> bytes, Padding padding)
{
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const std::uint32_t v = (std::uint32_t{bytes[i]} << 16) | (std::uint32_t{bytes[i + 1]} << 8) | bytes[i + 2];
        out += alphabet[v >> 18];
        out += alphabet[(v >> 12) & 63];
        out += alphabet[(v >> 6) & 63];
        out += alphabet[v & 63];
    }
    const std::size_t rest = bytes.size() - i;
    if (rest != 0) {
        const std::uint32_t v = (std::uint32_t{bytes[i]} << 16) | (rest == 2 ? std::uint32_t{bytes[i + 1]} << 8 : 0);
        out += alphabet[v >> 18];
        out += alphabet[(v >> 12) & 63];
        if (rest == 2) {
            out += alphabet[(v >> 6) & 63];
        }
        if (padding == Padding::Yes) {
            out.append(3 - rest, '=');
        }
    }
    return out;
}

/// Digits alone, without padding.
std::optional<Bytes> decodeDigits(const std::array<std::uint8_t, 256>& table, std::string_view digits)
{
    if (digits.size() % 4 == 1) {
        return std::nullopt;
    }
    Bytes out;
    out.reserve(digits.size() * 3 / 4);
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : digits) {
        const std::uint8_t digit = table[static_cast<std::uint8_t>(c)];
        if (digit == kInvalid) {
            return std::nullopt;
        }
        bits = (bits << 6) | digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<std::uint8_t>(bits >> count));
            bits &= (1U << count) - 1;
        }
    }
    // What is left over belongs to no byte, so it has to be nothing.
    return bits == 0 ? std::optional(std::move(out)) : std::nullopt;
}

} // namespace

std::string encodeBase64(std::span<const std::uint8_t> bytes)
{
    return encodeWith(kStandard, bytes, Padding::Yes);
}

std::string encodeBase64Url(std::span<const std::uint8_t> bytes)
{
    return encodeWith(kUrlSafe, bytes, Padding::No);
}

std::optional<Bytes> decodeBase64(std::string_view text)
{
    if (text.size() % 4 != 0) {
        return std::nullopt;
    }
    for (int padding = 0; padding < 2 && !text.empty() && text.back() == '='; ++padding) {
        text.remove_suffix(1);
    }
    return decodeDigits(kDecode, text);
}

std::optional<Bytes> decodeBase64Url(std::string_view text)
{
    return decodeDigits(kDecodeUrlSafe, text);
}

} // namespace vivavoce::core
