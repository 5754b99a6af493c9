#include "core/base/base64.h"

#include <array>

namespace vivavoce::core {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kInvalid = 0xFF;

constexpr std::array<std::uint8_t, 256> decodeTable()
{
    std::array<std::uint8_t, 256> table{};
    table.fill(kInvalid);
    for (std::size_t i = 0; i < kStandard.size(); ++i) {
        table[static_cast<std::uint8_t>(kStandard[i])] = static_cast<std::uint8_t>(i);
    }
    return table;
}
constexpr auto kDecode = decodeTable();

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
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
        ++padding;
    }
    Bytes out;
    out.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        const std::size_t digits = last ? 4 - padding : 4;
        std::uint32_t v = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            std::uint8_t digit = 0;
            if (k < digits) {
                digit = kDecode[static_cast<std::uint8_t>(text[i + k])];
                if (digit == kInvalid) {
                    return std::nullopt;
                }
            }
            v = (v << 6) | digit;
        }
        const std::uint32_t spare = digits == 2 ? 0xFFFF : digits == 3 ? 0xFF : 0;
        if ((v & spare) != 0) {
            return std::nullopt;
        }
        out.push_back(static_cast<std::uint8_t>(v >> 16));
        if (digits > 2) {
            out.push_back(static_cast<std::uint8_t>(v >> 8));
        }
        if (digits > 3) {
            out.push_back(static_cast<std::uint8_t>(v));
        }
    }
    return out;
}

} // namespace vivavoce::core
