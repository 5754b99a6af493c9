#pragma once

#include "core/protocol/openai/response.h"

#include <optional>
#include <set>
#include <string>

namespace vivavoce::core {

/// What outlives one of Gemini's connections, of which a conversation has one every ten minutes. In memory only: whoever has the handle
/// and a token hears what was said.
struct GeminiMemory {
    /// Of the newest session that can be resumed; empty: none.
    std::string handle;
    /// All that was said is in there.
    bool isWhole = false;
    /// What a reply in progress has cost so far, which is told when it ends.
    std::optional<openai::Usage> untold;
    /// Items that some connection of the conversation knew.
    std::set<std::string> items;
    /// In front of the ids that are given here; of this conversation alone.
    std::string idPrefix = "g";
    int lastId = 0;

    [[nodiscard]] std::string newId(const char* kind)
    {
        return std::string(kind) + "_" + idPrefix + "_" + std::to_string(++lastId);
    }
};

} // namespace vivavoce::core
