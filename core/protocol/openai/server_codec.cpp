#include "core/protocol/openai/codec.h"
#include "core/protocol/openai/internal/server_event_fields.h"

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
