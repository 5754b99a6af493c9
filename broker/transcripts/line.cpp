#include "broker/transcripts/line.h"

#include "broker/transcripts/fold.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vivavoce::broker::transcripts {
namespace {

constexpr std::array kSpeakers{std::pair(Speaker::User, std::string_view("user")),
    std::pair(Speaker::Assistant, std::string_view("assistant")), std::pair(Speaker::Tool, std::string_view("tool"))};
constexpr std::array kExtents{std::pair(Extent::Whole, std::string_view("whole")),
    std::pair(Extent::Interrupted, std::string_view("interrupted")),
    std::pair(Extent::Unfinished, std::string_view("unfinished"))};

template <typename Names, typename Value>
std::string_view nameIn(const Names& names, Value value)
{
    const auto* const found =
        std::find_if(names.begin(), names.end(), [value](const auto& row) { return row.first == value; });
    return found == names.end() ? std::string_view() : found->second;
}

template <typename Value, typename Names>
std::optional<Value> valueIn(const Names& names, std::string_view text)
{
    const auto* const found =
        std::find_if(names.begin(), names.end(), [text](const auto& row) { return row.second == text; });
    return found == names.end() ? std::nullopt : std::optional(found->first);
}

bool isMiddle(char byte)
{
    constexpr unsigned kMask = 0xC0;
    constexpr unsigned kOfMiddle = 0x80;
    return (static_cast<unsigned char>(byte) & kMask) == kOfMiddle;
}

} // namespace

std::string_view textOf(Speaker speaker)
{
    return nameIn(kSpeakers, speaker);
}

std::optional<Speaker> speakerOf(std::string_view text)
{
    return valueIn<Speaker>(kSpeakers, text);
}

std::string_view textOf(Extent extent)
{
    return nameIn(kExtents, extent);
}

std::optional<Extent> extentOf(std::string_view text)
{
    return valueIn<Extent>(kExtents, text);
}

bool append(std::string& line, std::string_view more)
{
    const std::size_t room = kLongestLine - std::min(line.size(), kLongestLine);
    std::size_t size = std::min(room, more.size());
    while (size > 0 && size < more.size() && isMiddle(more[size])) {
        --size;
    }
    line.append(more.substr(0, size));
    return size == more.size();
}

std::string sound(std::string_view text)
{
    std::string made;
    made.reserve(text.size());
    while (!text.empty()) {
        const char32_t character = takeCharacter(text);
        addCharacter(made, character == 0 ? kNoCharacter : character);
    }
    return made;
}

} // namespace vivavoce::broker::transcripts
