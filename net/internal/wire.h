#pragma once

#include "core/base/secret.h"
#include "net/internal/boost.h"

#include <cstddef>
#include <string>

namespace vivavoce::net {

/// The bytes of a message, or of its header alone, to be written at once. (Written part by part, each part is a type of its own all
/// the way down to the socket.) They do not move while they are put together: wiping them leaves no copy of what was in the body.
template <bool isRequest>
[[nodiscard]] std::string wireBytes(http::message<isRequest, http::string_body> message, bool isHeaderOnly = false)
{
    constexpr std::size_t kFraming = 256;
    std::size_t room = kFraming + message.body().size();
    for (const auto& field : message) {
        room += field.name_string().size() + field.value().size() + 4;
    }
    if constexpr (isRequest) {
        room += message.method_string().size() + message.target().size();
    } else {
        room += message.reason().size();
    }
    std::string bytes;
    bytes.reserve(room);
    http::serializer<isRequest, http::string_body> serializer(message);
    serializer.split(isHeaderOnly);
    ErrorCode error;
    while (!error && !(isHeaderOnly ? serializer.is_header_done() : serializer.is_done())) {
        serializer.next(error, [&](ErrorCode&, const auto& buffers) {
            for (const auto buffer : beast::buffers_range_ref(buffers)) {
                bytes.append(static_cast<const char*>(buffer.data()), buffer.size());
            }
            serializer.consume(beast::buffer_bytes(buffers));
        });
    }
    core::wipeString(message.body());
    return bytes;
}

} // namespace vivavoce::net
