#include "broker/relay/spoken_item.h"

#include <algorithm>

namespace vivavoce::broker::relay {
namespace {

/// A provider makes one or two; who names another one means the last.
constexpr std::size_t kMostParts = 8;

} // namespace

std::string& SpokenItem::part(std::size_t index)
{
    const std::size_t place = std::min(index, kMostParts - 1);
    if (parts.size() <= place) {
        parts.resize(place + 1);
    }
    return parts[place];
}

void SpokenItem::set(std::size_t index, std::string_view text)
{
    std::string& mine = part(index);
    mine.clear();
    isCut = !transcripts::append(mine, text) || isCut;
}

void SpokenItem::add(std::size_t index, std::string_view text)
{
    isCut = !transcripts::append(part(index), text) || isCut;
}

transcripts::Line SpokenItem::line() const
{
    transcripts::Line made;
    made.position = position;
    made.speaker = speaker;
    made.extent = extent;
    made.at = at;
    made.isCut = isCut;
    made.isOpening = isOpening;
    for (const std::string& one : parts) {
        if (one.empty()) {
            continue;
        }
        const bool isFirst = made.text.empty();
        const bool isIn = (isFirst || transcripts::append(made.text, "\n")) && transcripts::append(made.text, one);
        made.isCut = !isIn || made.isCut;
    }
    return made;
}

} // namespace vivavoce::broker::relay
