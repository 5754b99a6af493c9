#pragma once

#include <string>
#include <string_view>

namespace vivavoce::core {

/// Foreign text on one line, for a person who decides by it: what would move, hide or turn round other characters, or cannot be seen itself, is shown as
/// U+FFFD, as are bytes that are no UTF-8; a line end as an arrow.
[[nodiscard]] std::string readableText(std::string_view text);

/// Foreign text on one line of a terminal: likewise, but what is only invisible stays, since scripts and emoji are joined with it. A tab is a blank.
[[nodiscard]] std::string terminalText(std::string_view text);

/// JSON text (ours: valid UTF-8) with the characters that a terminal would obey as `\u` escapes. It is the same JSON.
[[nodiscard]] std::string terminalJson(std::string_view json);

} // namespace vivavoce::core
