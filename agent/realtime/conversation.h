#pragma once

#include "agent/ports.h"
#include "agent/realtime/event_fault.h"
#include "agent/realtime/session_settings.h"
#include "core/base/base64.h"
#include "core/base/expected.h"
#include "core/base/units.h"
#include "core/protocol/openai/items.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::agent::realtime {

using core::openai::ItemStatus;
using ItemKind = core::openai::ItemType;
using ItemRole = core::openai::Role;
using PartKind = core::openai::ContentType;
enum class WithAudio { No, Yes };

/// Where in the audio of a reply a piece of its transcript ends.
struct SpokenMark {
    core::Milliseconds audioEnd{0};
    std::size_t textEnd = 0;
};

struct ContentPart {
    PartKind kind = PartKind::InputText;
    /// Text, or what was said; nothing while speech is not recognised yet.
    std::optional<std::string> text;
    core::Milliseconds audioLength{0};
    /// As it was on the wire; empty once the conversation holds too much of it.
    core::Bytes audio;
    std::vector<SpokenMark> marks;
};

/// One entry of a conversation, or of a response outside it.
struct Item {
    std::string id;
    ItemKind kind = ItemKind::Message;
    ItemRole role = ItemRole::User;
    ItemStatus status = ItemStatus::Completed;
    std::vector<ContentPart> content;
    std::string callId;
    std::string name;
    /// Arguments of a call or output of a call.
    std::string payload;
    /// DialogueItem::isCertain.
    bool isCertain = true;
    /// Speech whose recognition still runs.
    bool isPending = false;
    /// Was part of an earlier response's input: counted as cached.
    bool wasSent = false;
};

/// An item of the client's, within the limits; its audio is in `format`: an odd byte is `invalid_value`. Ids it lacks are made.
[[nodiscard]] core::Expected<Item, EventFault> itemFromWire(
    core::openai::Item wire, WireFormat format, const std::string& path);
[[nodiscard]] core::openai::ContentPart partToWire(const ContentPart& part, WithAudio withAudio);
[[nodiscard]] core::openai::Item itemToWire(const Item& item, WithAudio withAudio);
[[nodiscard]] DialogueItem dialogueOf(const Item& item);

/// Keeps the marks before `heard` and cuts the text after the last word that was heard whole.
[[nodiscard]] std::string heardText(
    std::string_view text, const std::vector<SpokenMark>& marks, core::Milliseconds heard);

/// The items of a session in order. Pure: no sockets, clocks or threads.
/// Invariant: ids are unique; at most kMaxItems items (the oldest go) and kMaxAudioBytes of audio (the oldest audio goes).
/// Threads: one at a time.
class Conversation {
public:
    static constexpr std::size_t kMaxItems = 1'000;
    static constexpr std::size_t kMaxAudioBytes = 4 * 1024 * 1024;

    /// Puts `item` behind `previousId`, at the front for "root", at the end for nothing. Answers the id before it, empty at the
    /// front. Faults: `item_create_duplicate_id`, `invalid_value` for an unknown previous item or the output of an unknown call.
    core::Expected<std::string, EventFault> insert(Item item, const std::optional<std::string>& previousId);
    [[nodiscard]] Item* find(std::string_view id);
    [[nodiscard]] const Item* find(std::string_view id) const;
    /// Forgets what the user did not hear of a reply. Faults: item_truncate_invalid_item_id, _content_index, _audio_end_ms.
    core::Expected<void, EventFault> truncate(
        const std::string& id, long long contentIndex, core::Milliseconds audioEnd);
    /// Faults: item_delete_invalid_item_id.
    core::Expected<void, EventFault> erase(const std::string& id);
    /// Stores audio of an item within the budget of the whole conversation.
    void keepAudio(const std::string& id, core::Bytes audio);

    [[nodiscard]] std::string lastId() const { return m_items.empty() ? std::string() : m_items.back()->id; }
    [[nodiscard]] std::size_t size() const { return m_items.size(); }
    /// The id before an item; empty at the front.
    [[nodiscard]] std::string before(std::string_view id) const;
    /// Recognition runs for at least one item.
    [[nodiscard]] bool isPending() const;
    /// Oldest first; items in progress are left out.
    [[nodiscard]] std::vector<const Item*> finishedItems() const;
    void markAllSent();

private:
    using Items = std::vector<std::unique_ptr<Item>>;
    [[nodiscard]] Items::const_iterator position(std::string_view id) const;
    void trim();

    Items m_items;
};

} // namespace vivavoce::agent::realtime
