#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::relay {

/// What every reader of JSON has to agree on in a message, and the few top-level members that the relay goes by.
struct MessageScan {
    /// Empty: the text is sound. Otherwise why not: "invalid_json", "escaped_name", "duplicate_name", "too_deep", "no_type", "misspelt_type",
    /// "unknown_message".
    std::string_view fault;
    /// Views into the text, without quotes; members that are no strings count as absent, but for `type`, which has to be one.
    std::string_view type;
    std::string_view audio;
    std::string_view eventId;
    std::string_view delta;
    /// Somewhere in a value there is an escape that is half of a surrogate pair, and the other half is not beside it: no character.
    bool hasHalfCharacter = false;
    /// At the top there is a member that readers may take for `session`, `response` or `item`.
    bool hasParts = false;
};

/// Reads all of it; bodies of strings are checked for UTF-8 and control characters, and not decoded. The text may move.
/// Names with escapes in them, and an escaped `type`, are faults: one reader might compare them as they are, and another decoded. But for
/// those that bill something: whatever is wrong in them, they are known for what they are.
[[nodiscard]] MessageScan scanMessage(std::string& text);

/// The same of a client's, whose reader may make no difference between upper and lower case: two names that differ in nothing else are one,
/// twice. A `type` that is a known event's but for case and spaces is a fault; `audio` and `event_id` are found in any case.
[[nodiscard]] MessageScan scanClientMessage(std::string& text);

/// The same of a Gemini client's, which has one member at the top, of four that there are, `type` being its name. proto3's readers take two spellings of a name
/// ("turnComplete", "turn_complete"), and others may make no difference between cases: two names that differ in nothing else are one, twice;
/// but for the names that are a function's own.
[[nodiscard]] MessageScan scanGeminiMessage(std::string& text);

/// To a reader of either spelling and without cases.
[[nodiscard]] bool isSameSpelling(std::string_view one, std::string_view other);

/// To a reader without cases. Go's encoding/json also takes U+017F for an s, and U+212A for a k.
[[nodiscard]] bool isSameName(std::string_view one, std::string_view other);

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
    /// Each an object's text; nobody has looked at its names.
    std::vector<std::string> events{};
};
[[nodiscard]] PostScan scanPost(std::string text);

} // namespace vivavoce::broker::relay
