#include "core/protocol/openai/internal/event_codec.h"

#include <nlohmann/json.hpp>

namespace vivavoce::core::openai {

std::string_view errorCode(ProtocolError::Fault fault)
{
    switch (fault) {
    case ProtocolError::Fault::NotJson:
        return "invalid_json";
    case ProtocolError::Fault::NotObject:
        return "invalid_event";
    case ProtocolError::Fault::MissingType:
    case ProtocolError::Fault::MissingField:
        return "missing_required_parameter";
    case ProtocolError::Fault::UnknownField:
        return "unknown_parameter";
    case ProtocolError::Fault::WrongType:
    case ProtocolError::Fault::BadValue:
        return "invalid_value";
    }
    return "invalid_event";
}

namespace internal {
namespace {

constexpr std::size_t kLongestEventId = 512;

void deleteJson(Json* json)
{
    delete json;
}

} // namespace

Expected<Envelope, ProtocolError> open(std::string_view text, Reading reading)
{
    using Fault = ProtocolError::Fault;
    auto tree = parseJson(text);
    if (!tree) {
        return Unexpected<ProtocolError>(
            {Fault::NotJson, {}, "The text is not JSON: " + tree.error().detail + ".", {}});
    }
    if (!tree->is_object()) {
        return Unexpected<ProtocolError>({Fault::NotObject, {}, "An event must be an object.", {}});
    }
    Envelope envelope{{new Json(std::move(*tree)), &deleteJson}, {}, {}};
    ReadState state{reading, std::nullopt};
    Reader reader(Place(state, nullptr), *envelope.tree);
    reader.optionalText("event_id", envelope.eventId);
    reader.check("event_id", envelope.eventId.size() <= kLongestEventId, "is too long");
    if (!state.fault) {
        reader.required("type", envelope.type);
    }
    if (state.fault) {
        if (state.fault->fault == Fault::MissingField) {
            state.fault->fault = Fault::MissingType;
        }
        if (envelope.eventId.size() <= kLongestEventId) {
            state.fault->eventId = std::move(envelope.eventId);
        }
        return Unexpected<ProtocolError>(std::move(*state.fault));
    }
    return envelope;
}

Envelope begin(std::string_view type, const std::string& eventId)
{
    Envelope envelope{{new Json(Json::object()), &deleteJson}, {}, {}};
    (*envelope.tree)["type"] = std::string(type);
    if (!eventId.empty()) {
        (*envelope.tree)["event_id"] = eventId;
    }
    return envelope;
}

std::string finish(const Envelope& envelope, const char* key, const Bytes* audio)
{
    std::string text = writeJson(*envelope.tree);
    if (audio != nullptr) {
        const std::string base64 = encodeBase64(*audio);
        text.reserve(text.size() + base64.size() + 16);
        // The tree holds the type at least, so there is a member to go on from.
        text.pop_back();
        text.append(",\"").append(key).append("\":\"").append(base64).append("\"}");
    }
    return text;
}

} // namespace internal
} // namespace vivavoce::core::openai
