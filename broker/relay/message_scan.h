#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// There is so much in it to be told apart that reading it would keep others waiting: more than `kMostMarks` of the marks that JSON is made
/// of, wherever they stand. Sound has next to none.
inline constexpr std::size_t kMostMarks = 131'072;
[[nodiscard]] bool hasTooManyMarks(std::string_view text);

/// What a post says, as it is written there.
struct PostScan {
    /// Empty: the post is sound. Otherwise why not, for people.
    std::string_view fault;
    /// Base64, decoded from JSON.
    std::optional<std::string> audio{};
    /// Each an object's text, and sound by itself.
    std::vector<std::string> events{};
};
[[nodiscard]] PostScan scanPost(std::string text);

} // namespace vivavoce::broker::relay
