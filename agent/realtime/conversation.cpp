#include "agent/realtime/conversation.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace vivavoce::agent::realtime {

namespace {

core::Unexpected<EventFault> refuse(std::string code, std::string message, std::string param)
{
    return core::Unexpected<EventFault>(EventFault{std::move(code), std::move(message), std::move(param)});
}

std::size_t audioBytes(const Item& item)
{
    std::size_t bytes = 0;
    for (const ContentPart& part : item.content) {
        bytes += part.audio.size();
    }
    return bytes;
}

/// The end of the last whole word within the first `limit` bytes.
std::size_t wordEnd(std::string_view text, std::size_t limit)
{
    if (limit >= text.size()) {
        return text.size();
    }
    while (limit > 0 && std::isspace(static_cast<unsigned char>(text[limit])) == 0) {
        --limit;
    }
    return limit;
}

} // namespace

std::string heardText(std::string_view text, const std::vector<SpokenMark>& marks, core::Milliseconds heard)
{
    SpokenMark before;
    for (const SpokenMark& mark : marks) {
        if (mark.audioEnd > heard) {
            const auto span = (mark.audioEnd - before.audioEnd).count();
            const auto letters = static_cast<long long>(mark.textEnd - before.textEnd);
            const auto part = span > 0 ? letters * (heard - before.audioEnd).count() / span : 0;
            const std::size_t end = wordEnd(text, before.textEnd + static_cast<std::size_t>(part));
            return std::string(text.substr(0, std::max(end, before.textEnd)));
        }
        before = mark;
    }
    return std::string(text.substr(0, before.textEnd));
}

Conversation::Items::const_iterator Conversation::position(std::string_view id) const
{
    return std::find_if(m_items.begin(), m_items.end(), [id](const auto& item) { return item->id == id; });
}

Item* Conversation::find(std::string_view id)
{
    const auto it = position(id);
    return it == m_items.end() ? nullptr : it->get();
}

const Item* Conversation::find(std::string_view id) const
{
    const auto it = position(id);
    return it == m_items.end() ? nullptr : it->get();
}

core::Expected<std::string, EventFault> Conversation::insert(Item item, const std::optional<std::string>& previousId)
{
    if (find(item.id) != nullptr) {
        return refuse("item_create_duplicate_id", "An item with this id already exists.", "item.id");
    }
    if (item.kind == ItemKind::FunctionCallOutput) {
        const bool isKnown = std::any_of(m_items.begin(), m_items.end(),
            [&item](const auto& one) { return one->kind == ItemKind::FunctionCall && one->callId == item.callId; });
        if (!isKnown) {
            return refuse(
                "invalid_tool_call_id", "No function call with this call_id is in the conversation.", "item.call_id");
        }
    }
    auto at = m_items.cend();
    if (previousId == "root") {
        at = m_items.cbegin();
    } else if (previousId) {
        const auto previous = position(*previousId);
        if (previous == m_items.end()) {
            return refuse("invalid_value", "The previous item does not exist.", "previous_item_id");
        }
        at = previous + 1;
    }
    const std::string before = at == m_items.cbegin() ? std::string() : (*(at - 1))->id;
    m_items.insert(at, std::make_unique<Item>(std::move(item)));
    trim();
    return before;
}

void Conversation::trim()
{
    while (m_items.size() > kMaxItems) {
        m_items.erase(m_items.begin());
    }
    std::size_t total = 0;
    for (const auto& item : m_items) {
        total += audioBytes(*item);
    }
    for (const auto& item : m_items) {
        if (total <= kMaxAudioBytes) {
            return;
        }
        total -= audioBytes(*item);
        for (ContentPart& part : item->content) {
            part.audio = core::Bytes();
        }
    }
}

void Conversation::keepAudio(const std::string& id, core::Bytes audio)
{
    Item* const item = find(id);
    if (item == nullptr || item->content.empty()) {
        return;
    }
    ContentPart& part = item->content.front();
    if (part.audio.empty()) {
        part.audio = std::move(audio);
    } else {
        part.audio.insert(part.audio.end(), audio.begin(), audio.end());
    }
    trim();
}

core::Expected<void, EventFault> Conversation::truncate(
    const std::string& id, long long contentIndex, core::Milliseconds audioEnd)
{
    Item* const item = find(id);
    const bool isReply = item != nullptr && item->kind == ItemKind::Message && item->role == ItemRole::Assistant;
    if (!isReply) {
        return refuse("item_truncate_invalid_item_id",
            "Only an assistant message of this conversation can be truncated.", "item_id");
    }
    if (contentIndex < 0 || static_cast<std::size_t>(contentIndex) >= item->content.size()
        || item->content[static_cast<std::size_t>(contentIndex)].kind != PartKind::OutputAudio) {
        return refuse("item_truncate_invalid_content_index", "The content part is not audio.", "content_index");
    }
    ContentPart& part = item->content[static_cast<std::size_t>(contentIndex)];
    if (audioEnd.count() < 0 || audioEnd > part.audioLength) {
        return refuse("item_truncate_invalid_audio_end_ms",
            "Audio content of " + std::to_string(part.audioLength.count()) + "ms is already shorter than "
                + std::to_string(audioEnd.count()) + "ms",
            "audio_end_ms");
    }
    part.text = heardText(part.text.value_or(""), part.marks, audioEnd);
    if (!part.audio.empty() && part.audioLength.count() > 0) {
        // Whole samples: an even count of bytes is right for every format.
        const auto bytes = static_cast<long long>(part.audio.size()) * audioEnd.count() / part.audioLength.count();
        part.audio.resize(static_cast<std::size_t>(bytes) & ~std::size_t{1});
    }
    part.audioLength = audioEnd;
    while (!part.marks.empty() && part.marks.back().audioEnd > audioEnd) {
        part.marks.pop_back();
    }
    return {};
}

core::Expected<void, EventFault> Conversation::erase(const std::string& id)
{
    const auto it = position(id);
    if (it == m_items.end()) {
        return refuse("item_delete_invalid_item_id", "The item does not exist.", "item_id");
    }
    m_items.erase(it);
    return {};
}

std::string Conversation::before(std::string_view id) const
{
    const auto it = position(id);
    return it == m_items.end() || it == m_items.begin() ? std::string() : (*(it - 1))->id;
}

bool Conversation::isPending() const
{
    return std::any_of(m_items.begin(), m_items.end(), [](const auto& item) { return item->isPending; });
}

std::vector<const Item*> Conversation::finishedItems() const
{
    std::vector<const Item*> items;
    for (const auto& item : m_items) {
        if (item->status != ItemStatus::InProgress) {
            items.push_back(item.get());
        }
    }
    return items;
}

void Conversation::markAllSent()
{
    for (const auto& item : m_items) {
        item->wasSent = item->status != ItemStatus::InProgress;
    }
}

} // namespace vivavoce::agent::realtime
