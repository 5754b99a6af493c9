#pragma once

#include <string>
#include <string_view>

namespace vivavoce::core::openai {

/// Why an event cannot be read; holds what a server needs to answer with an `error` event.
struct ProtocolError {
    enum class Fault { NotJson, NotObject, MissingType, MissingField, UnknownField, WrongType, BadValue };

    Fault fault = Fault::NotJson;
    /// Dotted path of the field ("session.audio.input.format.rate", "session.tools[0].name"); empty where none is to blame.
    std::string param;
    /// One English line; never holds a value from the event.
    std::string message;
    /// The event's own id, where it could be read.
    std::string eventId;
};

/// The provider's code for a fault: invalid_json, invalid_event, missing_required_parameter, unknown_parameter, or
/// invalid_value for wrong types and bad values alike.
[[nodiscard]] std::string_view errorCode(ProtocolError::Fault fault);

} // namespace vivavoce::core::openai
