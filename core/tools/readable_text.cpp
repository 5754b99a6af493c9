#include "core/tools/readable_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace vivavoce::core {
namespace {

constexpr std::string_view kShown = "\xef\xbf\xbd";
constexpr std::string_view kLineEnd = " \xe2\x86\xb5 ";
constexpr std::uint32_t kNone = 0xfffd;

struct Range {
    std::uint32_t first;
    std::uint32_t last;
};

/// Controls, ends of lines and paragraphs, and what turns the direction of others.
constexpr std::array<Range, 6> kObeyed{
    {{0x00, 0x1f}, {0x7f, 0x9f}, {0x61c, 0x61c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x206f}}};
/// What has no shape of its own, or a blank one that is no space: soft hyphen, joiners, fillers, selectors of variants, annotations, tags.
constexpr std::array<Range, 15> kUnseen{{{0xad, 0xad}, {0x34f, 0x34f}, {0x115f, 0x1160}, {0x17b4, 0x17b5},
    {0x180b, 0x180f}, {0x200b, 0x200d}, {0x2060, 0x2065}, {0x2800, 0x2800}, {0x3164, 0x3164}, {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}}};

template <std::size_t Count>
bool isIn(const std::array<Range, Count>& ranges, std::uint32_t point)
{
    return std::any_of(ranges.begin(), ranges.end(),
        [point](const Range& range) { return point >= range.first && point <= range.last; });
}

struct Character {
    std::uint32_t point;
    std::size_t bytes;
    bool isWhole;
};

/// The first of `text`, which is not empty; of bytes that are no UTF-8 (RFC 3629) the first one alone.
Character firstOf(std::string_view text)
{
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) {
        return {lead, 1, true};
    }
    const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) {
        return {kNone, 1, false};
    }
    std::uint32_t point = lead & (0x7fU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xc0U) != 0x80U) {
            return {kNone, 1, false};
        }
        point = (point << 6U) | (byte & 0x3fU);
    }
    const bool isLonger = (bytes == 3 && point < 0x800) || (bytes == 4 && point < 0x10000);
    if (isLonger || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
        return {kNone, 1, false};
    }
    return {point, bytes, true};
}

template <typename Write>
std::string rewritten(std::string_view text, const Write& write)
{
    std::string shown;
    shown.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const Character character = firstOf(text.substr(i));
        write(shown, character, text.substr(i, character.bytes));
        i += character.bytes;
    }
    return shown;
}

std::string escaped(std::uint32_t point)
{
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text = "\\u";
    for (const unsigned shift : {12U, 8U, 4U, 0U}) {
        text += kDigits[(point >> shift) & 0xfU];
    }
    return text;
}

} // namespace

std::string readableText(std::string_view text)
{
    return rewritten(text, [](std::string& shown, const Character& character, std::string_view bytes) {
        const bool isSly = !character.isWhole || isIn(kObeyed, character.point) || isIn(kUnseen, character.point);
        shown += character.point == '\n' ? kLineEnd : isSly ? kShown : bytes;
    });
}

std::string terminalText(std::string_view text)
{
    return rewritten(text, [](std::string& shown, const Character& character, std::string_view bytes) {
        const bool isSly = !character.isWhole || isIn(kObeyed, character.point);
        shown += character.point == '\n' ? kLineEnd : character.point == '\t' ? " " : isSly ? kShown : bytes;
    });
}

std::string terminalJson(std::string_view json)
{
    // Outside of strings JSON has none of them, and all that a terminal obeys is below U+10000.
    return rewritten(json, [](std::string& shown, const Character& character, std::string_view bytes) {
        shown += isIn(kObeyed, character.point) ? escaped(character.point) : std::string(bytes);
    });
}

} // namespace vivavoce::core
