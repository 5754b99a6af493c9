#pragma once

#include "core/base/units.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

enum class Speaker { User, Assistant };

/// One line of the conversation as people read it.
struct ConversationEntry {
    std::string itemId;
    Speaker speaker = Speaker::User;
    std::string text;
    /// No more text will come.
    bool isFinal = false;
    /// The user spoke into it, or the connection was lost.
    bool wasInterrupted = false;
    /// Of an interrupted reply: about so many bytes of `text` were heard, up to the end of a word. The share of its speech that was
    /// played tells; nothing where that is not known.
    std::optional<std::size_t> heardBytes = std::nullopt;

    /// Sets `heardBytes` from that share, 0 to 1.
    void wasHeard(double share);
    /// As far as anybody knows of it.
    [[nodiscard]] std::string_view heardText() const
    {
        return std::string_view(text).substr(0, heardBytes.value_or(text.size()));
    }

    bool operator==(const ConversationEntry&) const = default;
};

/// The conversation in the order that the provider's item ids give, whatever order the events arrive in: a user's
/// transcript often comes after the reply that it caused. Survives reconnects; a value type without I/O.
/// Invariant: an item id stands at most once.
class ConversationLog {
public:
    /// Makes the entry where it is not there yet, behind `previousItemId` (empty or unknown: at the end).
    ConversationEntry& upsert(std::string_view itemId, Speaker speaker, std::string_view previousItemId = {});
    [[nodiscard]] ConversationEntry* find(std::string_view itemId);
    void remove(std::string_view itemId);
    /// Forgets the oldest until there are no more entries, and no more bytes of text, but never the last few.
    void keepLatest(std::size_t entries, std::size_t bytes);
    /// The next entry behind that one that has anything to show; empty: there is none.
    [[nodiscard]] std::string toldAfter(std::string_view itemId) const;
    [[nodiscard]] const std::vector<ConversationEntry>& entries() const { return m_entries; }
    /// Everything unfinished will stay as it is: the connection that was to finish it is gone.
    void closeOpenEntries();

    bool operator==(const ConversationLog&) const = default;

private:
    std::vector<ConversationEntry> m_entries;
};

} // namespace vivavoce::core
