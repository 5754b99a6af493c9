#include "core/protocol/openai/codec.h"
#include "core/protocol/openai/internal/server_event_fields.h"

#include <nlohmann/json.hpp>

namespace vivavoce::core::openai {
namespace internal {
namespace {

/// The beta told about a transcription with events of their own.
constexpr std::string_view kTranscriptionCreated = "transcription_session.created";
constexpr std::string_view kTranscriptionUpdated = "transcription_session.updated";

bool emplaceServerEvent(std::string_view type, ServerEvent& event)
{
    if (type == kTranscriptionCreated) {
        event.emplace<SessionCreated>().session.type = SessionType::Transcription;
        return true;
    }
    if (type == kTranscriptionUpdated) {
        event.emplace<SessionUpdated>().session.type = SessionType::Transcription;
        return true;
    }
    // GA first: conversation.item.created is a GA type too, and not the beta's name of another event.
    return emplaceByType(type, Dialect::Ga, event) || emplaceByType(type, Dialect::Beta, event);
}

/// GA nests what the beta has flat. Some servers say a thing in both ways: what only GA has counts.
std::optional<Dialect> dialectOf(const Json& event)
{
    const auto session = event.find("session");
    if (session == event.end() || !session->is_object()) {
        return std::nullopt;
    }
    const auto has = [&](const char* key) { return session->contains(key) && !(*session)[key].is_null(); };
    if (has("type") || has("audio")) {
        return Dialect::Ga;
    }
    const bool isBeta = has("modalities") || has("input_audio_format");
    return isBeta ? std::optional(Dialect::Beta) : std::nullopt;
}

template <typename Event>
std::string_view serverType(const Event& event, Dialect dialect)
{
    if constexpr (std::is_same_v<Event, SessionCreated> || std::is_same_v<Event, SessionUpdated>) {
        if (dialect == Dialect::Beta && event.session.type == SessionType::Transcription) {
            return std::is_same_v<Event, SessionCreated> ? kTranscriptionCreated : kTranscriptionUpdated;
        }
    }
    return typeIn<Event>(dialect);
}

} // namespace
} // namespace internal

Expected<ServerEvent, ProtocolError> decodeServerEvent(std::string_view text)
{
    auto envelope = internal::open(text, internal::Reading::Lenient);
    if (!envelope) {
        return Unexpected<ProtocolError>(std::move(envelope.error()));
    }
    ServerEvent event;
    if (!internal::emplaceServerEvent(envelope->type, event)) {
        return UnknownEvent{std::move(envelope->type), std::move(envelope->eventId), std::string(text)};
    }
    if (auto* created = std::get_if<SessionCreated>(&event)) {
        created->dialect = internal::dialectOf(*envelope->tree);
    }
    return internal::readFields(*envelope, std::move(event), internal::Reading::Lenient);
}

std::string encode(const ServerEvent& event, Dialect dialect)
{
    const internal::Style style{dialect, internal::Speaker::Server};
    return std::visit(
        [&](const auto& known) {
            if constexpr (std::is_same_v<std::decay_t<decltype(known)>, UnknownEvent>) {
                return known.text;
            } else {
                return internal::writeEvent(known, internal::serverType(known, dialect), style);
            }
        },
        event);
}

std::string_view typeName(const ServerEvent& event)
{
    return internal::typeOf(event);
}

} // namespace vivavoce::core::openai
