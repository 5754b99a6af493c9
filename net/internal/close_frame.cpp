#include "net/internal/close_frame.h"

namespace vivavoce::net {
namespace {

/// A control frame has room for 125 bytes, two of them for the code (RFC 6455 §5.5.1).
constexpr std::size_t kLongestReason = 123;

} // namespace

std::string_view fitting(std::string_view reason)
{
    if (reason.size() <= kLongestReason) {
        return reason;
    }
    std::size_t size = kLongestReason;
    while (size > 0 && (static_cast<unsigned char>(reason[size]) & 0xC0U) == 0x80U) {
        --size;
    }
    return reason.substr(0, size);
}

websocket::close_code sendable(std::uint16_t code)
{
    const bool isOurs = code >= 3000 && code <= kHighestCode;
    const bool isKnown = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1013);
    if (isOurs || isKnown) {
        return static_cast<websocket::close_code>(code);
    }
    return code == 1005 ? websocket::close_code::none : websocket::close_code::internal_error;
}

} // namespace vivavoce::net
