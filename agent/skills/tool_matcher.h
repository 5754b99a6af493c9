#pragma once

#include "agent/skills/skill.h"
#include "agent/skills/tool_schema.h"

#include <string>
#include <string_view>

/// How well what was said fits a declared function. Pure. [any thread]
namespace vivavoce::agent::skills {

/// From here on a function is meant; on uncertain words, only from kSureToolMatch on.
inline constexpr double kToolMatch = 0.55;
inline constexpr double kSureToolMatch = 0.75;

/// Stem with small synonyms folded: "lamps" and "light" meet.
[[nodiscard]] std::string meaningOf(std::string_view word);
/// Words that say nothing of what is meant ("the", "of").
[[nodiscard]] bool isFiller(std::string_view word);
/// Whether two words name the same thing: concept, or one letter off in words of five letters and more.
[[nodiscard]] bool meansSame(std::string_view a, std::string_view b);
/// Where all of `wanted` occur one after another (by meaning); npos where they do not.
[[nodiscard]] std::size_t findMeaning(std::span<const std::string> words, std::span<const std::string> wanted);

/// 0 to 1. 0 where the words say the opposite ("close" to open_door).
[[nodiscard]] double toolScore(const Utterance& utterance, const ToolSpec& tool);

} // namespace vivavoce::agent::skills
