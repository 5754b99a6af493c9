#include "core/protocol/openai/codec.h"
#include "core/protocol/openai/internal/client_event_fields.h"

namespace vivavoce::core::openai {
namespace internal {
namespace {

/// The beta configured a transcription with an event of its own.
constexpr std::string_view kTranscriptionUpdate = "transcription_session.update";

std::string_view clientType(const ClientEvent& event, Dialect dialect)
{
    const auto* update = std::get_if<SessionUpdate>(&event);
    const bool isTranscription = update != nullptr && update->session.type == SessionType::Transcription;
    return isTranscription && dialect == Dialect::Beta ? kTranscriptionUpdate : typeName(event);
}

} // namespace
} // namespace internal

Expected<ClientEvent, ProtocolError> decodeClientEvent(std::string_view text, Dialect dialect)
{
    const auto reading = dialect == Dialect::Ga ? internal::Reading::StrictGa : internal::Reading::StrictBeta;
    auto envelope = internal::open(text, reading);
    if (!envelope) {
        return Unexpected<ProtocolError>(std::move(envelope.error()));
    }
    ClientEvent event;
    if (dialect == Dialect::Beta && envelope->type == internal::kTranscriptionUpdate) {
        event.emplace<SessionUpdate>().session.type = SessionType::Transcription;
    } else if (!internal::emplaceByType(envelope->type, Dialect::Ga, event)) {
        return UnknownEvent{std::move(envelope->type), std::move(envelope->eventId), std::string(text)};
    }
    return internal::readFields(*envelope, std::move(event), reading);
}

std::string encode(const ClientEvent& event, Dialect dialect)
{
    if (const auto* unknown = std::get_if<UnknownEvent>(&event)) {
        return unknown->text;
    }
    const internal::Style style{dialect, internal::Speaker::Client};
    return std::visit(
        [&](const auto& known) { return internal::writeEvent(known, internal::clientType(event, dialect), style); },
        event);
}

std::string_view typeName(const ClientEvent& event)
{
    return internal::typeOf(event);
}

} // namespace vivavoce::core::openai
