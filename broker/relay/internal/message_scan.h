#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vivavoce::broker::relay {

/// What every reader of JSON has to agree on in a message, and the few top-level members that the relay goes by.
struct MessageScan {
    /// Empty: the text is sound. Otherwise why not: "invalid_json", "escaped_name", "duplicate_name", "too_deep", "no_type".
    std::string_view fault;
    /// Views into the text, without quotes; members that are no strings count as absent, but for `type`, which has to be one.
    std::string_view type;
    std::string_view audio;
    std::string_view eventId;
    std::string_view delta;
    /// Somewhere in a value there is an escape that is half of a surrogate pair, and the other half is not beside it: no character.
    bool hasHalfCharacter = false;
};

/// Reads all of it; bodies of strings are checked for UTF-8 and control characters, and not decoded. The text may move.
/// Names with escapes in them, and an escaped `type`, are faults: one reader might compare them as they are, and another decoded.
[[nodiscard]] MessageScan scanMessage(std::string& text);

} // namespace vivavoce::broker::relay
