#pragma once

#include <string>
#include <string_view>

namespace vivavoce::broker::transcripts {

inline constexpr char32_t kNoCharacter = 0xFFFD;
/// Takes one character off a text that is not empty; of bytes that are no UTF-8, one and U+FFFD.
[[nodiscard]] char32_t takeCharacter(std::string_view& text);
void addCharacter(std::string& text, char32_t character);

/// The text as searches compare it: without upper case in every script that has one (Unicode's full case folding, where ß is ss; İ is i, in
/// whatever language; and white space that is a row of blanks or line ends as one blank). Pure.
[[nodiscard]] std::string folded(std::string_view text);
/// What finds texts with that in them, for SQL's LIKE with ESCAPE '!': none of it is a wildcard.
[[nodiscard]] std::string containing(std::string_view folded);

/// Of a long text, what is around the first place where `folded` is found, with an ellipsis where something is left out; its beginning where it
/// is not found.
[[nodiscard]] std::string excerpt(std::string_view text, std::string_view folded);

} // namespace vivavoce::broker::transcripts
