#pragma once

#include <string_view>

namespace vivavoce::agent::speech {

/// How well two texts agree, letter by letter: 1 for the same, 0 for nothing in common (1 - edit distance / longer length).
[[nodiscard]] double similarity(std::string_view a, std::string_view b);

/// Whether a command that the grammar heard is to be believed, given what the free decoder heard of the same sound.
/// Scores are pocketsphinx's path scores, logarithms and so negative. The limits were found on 250 spoken sentences
/// (no open sentence taken for a command, 99 % of the commands kept).
[[nodiscard]] bool isCommandCredible(std::string_view command, int commandScore, std::string_view free, int freeScore);

} // namespace vivavoce::agent::speech
