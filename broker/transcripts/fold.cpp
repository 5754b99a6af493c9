#include "broker/transcripts/fold.h"

#include "broker/transcripts/internal/case_table.h"
#include "broker/transcripts/internal/full_case_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vivavoce::broker::transcripts {
namespace {

constexpr unsigned kLowSix = 0x3F;
constexpr unsigned kShift = 6;

struct Lead {
    unsigned mask;
    unsigned mark;
    std::size_t rest;
    /// Less than that would have been written with fewer bytes.
    char32_t least;
};
constexpr std::array kLeads{
    Lead{0x80, 0x00, 0, 0}, Lead{0xE0, 0xC0, 1, 0x80}, Lead{0xF0, 0xE0, 2, 0x800}, Lead{0xF8, 0xF0, 3, 0x10000}};

bool isCharacter(char32_t value)
{
    return value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

char32_t foldedCharacter(char32_t character)
{
    if (character < 0x80) {
        return character >= 'A' && character <= 'Z' ? character - 'A' + 'a' : character;
    }
    const auto* const found = std::lower_bound(kCaseRanges.begin(), kCaseRanges.end(), character,
        [](const CaseRange& range, char32_t value) { return range.last < value; });
    const bool isIn =
        found != kCaseRanges.end() && character >= found->first && (character - found->first) % found->step == 0;
    return isIn ? static_cast<char32_t>(static_cast<std::int32_t>(character) + found->by) : character;
}

/// Without the dot of an i: whoever types no İ finds it all the same.
void addDotless(std::string& text, char32_t character)
{
    constexpr char32_t kDotAbove = 0x307;
    if (character != kDotAbove || text.empty() || text.back() != 'i') {
        addCharacter(text, character);
    }
}

void addFolded(std::string& text, char32_t character)
{
    const auto* const found = std::lower_bound(kFullFoldings.begin(), kFullFoldings.end(), character,
        [](const FullFolding& row, char32_t value) { return row.from < value; });
    if (found == kFullFoldings.end() || found->from != character) {
        addDotless(text, foldedCharacter(character));
        return;
    }
    for (const char16_t one : found->to) {
        if (one != 0) {
            addDotless(text, one);
        }
    }
}

bool isSpace(char32_t character)
{
    return character == ' ' || (character >= '\t' && character <= '\r') || character == 0xA0 || character == 0x3000;
}

} // namespace

char32_t takeCharacter(std::string_view& text)
{
    const auto byteAt = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const auto* const lead =
        std::find_if(kLeads.begin(), kLeads.end(), [&](const Lead& one) { return (byteAt(0) & one.mask) == one.mark; });
    if (lead == kLeads.end() || lead->rest >= text.size()) {
        text.remove_prefix(1);
        return kNoCharacter;
    }
    char32_t value = byteAt(0) & ~lead->mask;
    for (std::size_t i = 1; i <= lead->rest; ++i) {
        if ((byteAt(i) & ~kLowSix) != 0x80) {
            text.remove_prefix(1);
            return kNoCharacter;
        }
        value = (value << kShift) | (byteAt(i) & kLowSix);
    }
    if (value < lead->least || !isCharacter(value)) {
        text.remove_prefix(1);
        return kNoCharacter;
    }
    text.remove_prefix(lead->rest + 1);
    return value;
}

void addCharacter(std::string& text, char32_t character)
{
    const auto* const lead = std::find_if(kLeads.begin(), kLeads.end(),
        [&](const Lead& one) { return &one == &kLeads.back() || character < (&one)[1].least; });
    const auto shifted = character >> (kShift * lead->rest);
    text += static_cast<char>(lead->mark | shifted);
    for (std::size_t left = lead->rest; left > 0; --left) {
        text += static_cast<char>(0x80U | ((character >> (kShift * (left - 1))) & kLowSix));
    }
}

std::string folded(std::string_view text)
{
    std::string made;
    made.reserve(text.size());
    bool isAfterSpace = false;
    while (!text.empty()) {
        const char32_t character = takeCharacter(text);
        const bool isOne = isSpace(character);
        if (!isOne || !isAfterSpace) {
            addFolded(made, isOne ? U' ' : (character == 0 ? kNoCharacter : character));
        }
        isAfterSpace = isOne;
    }
    return made;
}

std::string excerpt(std::string_view text, std::string_view needle)
{
    constexpr std::size_t kBefore = 80;
    constexpr std::size_t kMost = 320;
    // Where each character begins: in the text, and in what it is folded to.
    struct Place {
        std::size_t written;
        std::size_t folded;
    };
    std::vector<Place> places;
    std::string made;
    bool isAfterSpace = false;
    for (std::string_view rest = text; !rest.empty();) {
        places.push_back({text.size() - rest.size(), made.size()});
        const char32_t character = takeCharacter(rest);
        const bool isOne = isSpace(character);
        if (!isOne || !isAfterSpace) {
            addFolded(made, isOne ? U' ' : character);
        }
        isAfterSpace = isOne;
    }
    const std::size_t found = needle.empty() ? 0 : std::min(made.find(needle), made.size());
    const std::size_t match = found == made.size()
        ? 0
        : static_cast<std::size_t>(
            std::count_if(places.begin(), places.end(), [&](const Place& one) { return one.folded < found; }));
    const std::size_t first = match > kBefore ? match - kBefore : 0;
    const std::size_t last = std::min(first + kMost, places.size());
    const std::size_t begin = first < places.size() ? places[first].written : text.size();
    const std::size_t end = last < places.size() ? places[last].written : text.size();
    std::string around(text.substr(begin, end - begin));
    return (first > 0 ? "…" : "") + around + (last < places.size() ? "…" : "");
}

std::string containing(std::string_view folded)
{
    std::string pattern = "%";
    for (const char c : folded) {
        if (c == '%' || c == '_' || c == '!') {
            pattern += '!';
        }
        pattern += c;
    }
    return pattern + '%';
}

} // namespace vivavoce::broker::transcripts
