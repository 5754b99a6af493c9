#pragma once

#include "core/base/expected.h"
#include "core/protocol/internal/reader.h"
#include "core/protocol/internal/writer.h"
#include "core/protocol/openai/client_events.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

/// What both sides' events have in common: the envelope (type, event_id) and the choice of the struct by the type.
namespace vivavoce::core::openai::internal {

/// An event's text taken apart as far as its type.
struct Envelope {
    std::unique_ptr<Json, void (*)(Json*)> tree;
    std::string type;
    std::string eventId;
};

/// Checks the envelope. A strict reader minds a bad event_id, a lenient one passes over it.
[[nodiscard]] Expected<Envelope, ProtocolError> open(std::string_view text, Reading reading);

/// A tree to write into, with the envelope written.
[[nodiscard]] Envelope begin(std::string_view type, const std::string& eventId);
/// `audio`, where not null, becomes the member `key`. It is set into the finished text, for it is large and needs none of a
/// JSON writer's care.
[[nodiscard]] std::string finish(const Envelope& envelope, const char* key, const Bytes* audio);

/// The only member of some events that is large.
struct Audio {
    const char* key = nullptr;
    const Bytes* bytes = nullptr;
};

template <typename Event>
constexpr std::string_view typeIn(Dialect dialect)
{
    if constexpr (requires { Event::kBetaType; }) {
        return dialect == Dialect::Beta ? Event::kBetaType : Event::kType;
    } else {
        return Event::kType;
    }
}

/// Each alternative but UnknownEvent, which comes last.
template <typename Variant, std::size_t Index = 0>
bool emplaceByType(std::string_view type, Dialect dialect, Variant& event)
{
    if constexpr (Index + 1 == std::variant_size_v<Variant>) {
        return false;
    } else {
        using Event = std::variant_alternative_t<Index, Variant>;
        if (type == typeIn<Event>(dialect)) {
            event.template emplace<Index>();
            return true;
        }
        return emplaceByType<Variant, Index + 1>(type, dialect, event);
    }
}

/// Reads the fields of the event that `event` already is.
template <typename Variant>
[[nodiscard]] Expected<Variant, ProtocolError> readFields(Envelope& envelope, Variant event, Reading reading)
{
    ReadState state{reading, std::nullopt};
    std::visit(
        [&](auto& known) {
            known.eventId = envelope.eventId;
            Reader reader(Place(state, nullptr), *envelope.tree);
            reader.skip("type");
            reader.skip("event_id");
            if constexpr (requires { fields(reader, known); }) {
                fields(reader, known);
            }
            reader.finish();
        },
        event);
    if (state.fault) {
        state.fault->eventId = std::move(envelope.eventId);
        return Unexpected<ProtocolError>(std::move(*state.fault));
    }
    return event;
}

template <typename Event>
[[nodiscard]] std::string writeEvent(const Event& event, std::string_view type, const Style& style)
{
    const Envelope envelope = begin(type, event.eventId);
    Audio audio;
    if constexpr (requires { audioOf(style, event); }) {
        audio = audioOf(style, event);
    }
    Writer writer(style, *envelope.tree);
    if constexpr (requires { fields(writer, event); }) {
        fields(writer, event);
    }
    return finish(envelope, audio.key, audio.bytes);
}

template <typename Variant>
[[nodiscard]] std::string_view typeOf(const Variant& event)
{
    return std::visit(
        [](const auto& known) -> std::string_view {
            if constexpr (std::is_same_v<std::decay_t<decltype(known)>, UnknownEvent>) {
                return known.type;
            } else {
                return known.kType;
            }
        },
        event);
}

} // namespace vivavoce::core::openai::internal
