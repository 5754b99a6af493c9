#include "core/session/conversation_log.h"

#include <algorithm>

namespace vivavoce::core {

void ConversationEntry::wasHeard(double share)
{
    auto end = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(text.size()));
    if (end < text.size()) {
        const std::size_t space = end == 0 ? std::string::npos : text.rfind(' ', end);
        const auto isInside = [this](
                                  std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U; };
        if (space != std::string::npos) {
            end = space;
        }
        while (end > 0 && isInside(end)) {
            --end;
        }
    }
    heardBytes = end;
}

ConversationEntry& ConversationLog::upsert(std::string_view itemId, Speaker speaker, std::string_view previousItemId)
{
    if (ConversationEntry* known = find(itemId)) {
        return *known;
    }
    auto place = m_entries.end();
    if (!previousItemId.empty()) {
        const auto previous = std::find_if(m_entries.begin(), m_entries.end(),
            [&](const ConversationEntry& entry) { return entry.itemId == previousItemId; });
        if (previous != m_entries.end()) {
            place = previous + 1;
        }
    }
    ConversationEntry entry;
    entry.itemId = itemId;
    entry.speaker = speaker;
    return *m_entries.insert(place, std::move(entry));
}

ConversationEntry* ConversationLog::find(std::string_view itemId)
{
    // Recent items are asked for, so the search starts at the end.
    const auto found = std::find_if(
        m_entries.rbegin(), m_entries.rend(), [&](const ConversationEntry& entry) { return entry.itemId == itemId; });
    return found == m_entries.rend() ? nullptr : &*found;
}

std::string ConversationLog::toldAfter(std::string_view itemId) const
{
    std::string next;
    for (auto entry = m_entries.rbegin(); entry != m_entries.rend() && entry->itemId != itemId; ++entry) {
        if (!entry->text.empty() || entry->isFinal) {
            next = entry->itemId;
        }
    }
    return next;
}

void ConversationLog::remove(std::string_view itemId)
{
    std::erase_if(m_entries, [&](const ConversationEntry& entry) { return entry.itemId == itemId; });
}

void ConversationLog::keepLatest(std::size_t entries, std::size_t bytes)
{
    // Of the turn that is under way and of the one before.
    constexpr std::size_t kAlways = 8;
    std::size_t size = 0;
    for (const ConversationEntry& entry : m_entries) {
        size += entry.text.size();
    }
    std::size_t left = m_entries.size();
    auto first = m_entries.begin();
    for (; left > kAlways && (left > entries || size > bytes); ++first, --left) {
        size -= first->text.size();
    }
    m_entries.erase(m_entries.begin(), first);
}

void ConversationLog::closeOpenEntries()
{
    for (ConversationEntry& entry : m_entries) {
        if (!entry.isFinal) {
            entry.isFinal = true;
            entry.wasInterrupted = true;
        }
    }
}

} // namespace vivavoce::core
