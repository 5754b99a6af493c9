#pragma once

#include "core/base/expected.h"
#include "core/protocol/gemini/client_messages.h"
#include "core/protocol/gemini/server_messages.h"
#include "core/protocol/openai/protocol_error.h"

#include <optional>
#include <string>
#include <string_view>

/// Messages to and from JSON text (proto3's mapping, camelCase). Pure. [any thread]
namespace vivavoce::core::gemini {

using openai::ProtocolError;

[[nodiscard]] std::string encode(const ClientMessage& message);
/// As a server reads: strict. Unknown names, wrong types and more or less than one key are faults.
[[nodiscard]] Expected<ClientMessage, ProtocolError> decodeClientMessage(std::string_view text);

[[nodiscard]] std::string encode(const ServerMessage& message);
/// As a client reads: lenient. What is unknown or of a wrong type is passed over; sound that cannot be read is a fault.
[[nodiscard]] Expected<ServerMessage, ProtocolError> decodeServerMessage(std::string_view text);

/// "50s" and "1.250s" (proto3's Duration); nothing for anything else, or for more than a day.
[[nodiscard]] std::optional<Milliseconds> parseDuration(std::string_view text);
[[nodiscard]] std::string durationText(Milliseconds duration);

} // namespace vivavoce::core::gemini
