#pragma once

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/protocol/openai/server_events.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace vivavoce::broker::relay {

/// A message of the client's that was typed.
struct TypedItem {
    std::string eventId;
    std::string id;
    /// As much as a line holds.
    std::string text;
    bool isCut = false;
    std::int64_t position = 0;
    core::WallTime at{};
    bool isOpening = false;
};

/// What was typed, and is not in the conversation as far as is known. Bounded.
class TypedItems {
public:
    /// What is typed in an item of the client's; nothing where that is no word.
    [[nodiscard]] static std::optional<TypedItem> read(const core::Json& item);

    /// False: there is no room.
    [[nodiscard]] bool add(TypedItem typed);
    /// What the provider says is in the conversation; nothing: it was not typed here.
    [[nodiscard]] std::optional<TypedItem> take(const core::openai::Item& told);
    /// The oldest one.
    [[nodiscard]] std::optional<TypedItem> takeFirst();
    /// The provider does not take it.
    void refuse(const std::string& eventId);
    void clear() { m_items.clear(); }
    /// Where the next one behind `position` is, if that is before `next`; else `next`.
    [[nodiscard]] std::int64_t nextBehind(std::int64_t position, std::int64_t next) const;

private:
    std::deque<TypedItem> m_items;
};

} // namespace vivavoce::broker::relay
