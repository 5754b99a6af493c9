#pragma once

#include "core/base/expected.h"
#include "core/protocol/openai/client_events.h"
#include "core/protocol/openai/protocol_error.h"
#include "core/protocol/openai/server_events.h"

#include <string>
#include <string_view>

/// Events to and from JSON text. Pure. [any thread]
namespace vivavoce::core::openai {

/// As a server reads: strict. Unknown fields, wrong types and values out of range are faults. With Dialect::Ga the beta's
/// session fields are unknown and `session.type` is a must, as with the provider; with Dialect::Beta both families are read.
[[nodiscard]] Expected<ClientEvent, ProtocolError> decodeClientEvent(
    std::string_view text, Dialect dialect = Dialect::Ga);

/// As a client reads: lenient. Unknown fields are ignored, optional ones may be null, of a wrong type or missing, both name families are
/// read; a field without which the event means nothing must be there and be right.
[[nodiscard]] Expected<ServerEvent, ProtocolError> decodeServerEvent(std::string_view text);

[[nodiscard]] std::string encode(const ClientEvent& event, Dialect dialect = Dialect::Ga);
/// The beta has no conversation.item.added and .done: the first is written as conversation.item.created, the second as it is.
[[nodiscard]] std::string encode(const ServerEvent& event, Dialect dialect = Dialect::Ga);

/// The GA type ("response.done"); of an unknown event, its own.
[[nodiscard]] std::string_view typeName(const ClientEvent& event);
[[nodiscard]] std::string_view typeName(const ServerEvent& event);

} // namespace vivavoce::core::openai
