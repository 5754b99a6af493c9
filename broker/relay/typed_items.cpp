#include "broker/relay/typed_items.h"

#include "broker/transcripts/line.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

namespace vivavoce::broker::relay {
namespace {

constexpr std::size_t kMost = 64;

/// Another part, in a line of its own. False: there was more than a line holds.
bool addPart(std::string& text, std::string_view part)
{
    const bool isFirst = text.empty();
    return (isFirst || transcripts::append(text, "\n")) && transcripts::append(text, part);
}

} // namespace

std::optional<TypedItem> TypedItems::read(const core::Json& item)
{
    TypedItem typed;
    const auto content = item.find("content");
    if (content == item.end() || !content->is_array()) {
        return std::nullopt;
    }
    for (const core::Json& part : *content) {
        const auto text = part.is_object() ? part.find("text") : part.end();
        if (text != part.end() && text->is_string()) {
            typed.isCut = !addPart(typed.text, text->get_ref<const std::string&>()) || typed.isCut;
        }
    }
    return typed.text.empty() ? std::nullopt : std::optional(std::move(typed));
}

bool TypedItems::add(TypedItem typed)
{
    if (m_items.size() >= kMost) {
        return false;
    }
    m_items.push_back(std::move(typed));
    return true;
}

std::optional<TypedItem> TypedItems::take(const core::openai::Item& told)
{
    // As much of it as is remembered of what was typed.
    std::string text;
    for (const core::openai::ContentPart& part : told.content) {
        if (part.type == core::openai::ContentType::InputText && part.text) {
            static_cast<void>(addPart(text, *part.text));
        }
    }
    const auto isIt = [&](const TypedItem& typed) {
        return typed.id.empty() ? text.empty() || text == typed.text : typed.id == told.id;
    };
    const auto found = std::find_if(m_items.begin(), m_items.end(), isIt);
    if (found == m_items.end()) {
        return std::nullopt;
    }
    TypedItem typed = std::move(*found);
    m_items.erase(found);
    return typed;
}

std::optional<TypedItem> TypedItems::takeFirst()
{
    if (m_items.empty()) {
        return std::nullopt;
    }
    TypedItem typed = std::move(m_items.front());
    m_items.pop_front();
    return typed;
}

void TypedItems::refuse(const std::string& eventId)
{
    std::erase_if(m_items, [&](const TypedItem& typed) { return !eventId.empty() && typed.eventId == eventId; });
}

std::int64_t TypedItems::nextBehind(std::int64_t position, std::int64_t next) const
{
    for (const TypedItem& typed : m_items) {
        next = typed.position > position ? std::min(next, typed.position) : next;
    }
    return next;
}

} // namespace vivavoce::broker::relay
