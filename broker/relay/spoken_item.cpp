#include "broker/relay/spoken_item.h"

#include <algorithm>

namespace vivavoce::broker::relay {
namespace {

/// A provider makes one or two; who names another one means the last.
constexpr std::size_t kMostParts = 8;

} // namespace

std::string& SpokenItem::part(std::size_t index)
{
    const std::size_t at = std::min(index, kMostParts - 1);
    if (parts.size() <= at) {
        parts.resize(at + 1);
    }
    return parts[at];
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
    transcripts::Line line;
    line.position = position;
    line.speaker = speaker;
    line.extent = extent;
    line.at = at;
    line.isCut = isCut;
    line.isOpening = isOpening;
    for (const std::string& part : parts) {
        if (part.empty()) {
            continue;
        }
        const bool isFirst = line.text.empty();
        const bool isIn = (isFirst || transcripts::append(line.text, "\n")) && transcripts::append(line.text, part);
        line.isCut = !isIn || line.isCut;
    }
    return line;
}

} // namespace vivavoce::broker::relay
