#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Words of what was said. Pure. [any thread]
namespace vivavoce::agent::skills {

using Words = std::vector<std::string>;

/// Lower case words without punctuation; decimals ("3.5"), apostrophes, and the signs + - * / % between numbers are kept; "what's"
/// becomes "what is", "20%" becomes "20", "percent".
[[nodiscard]] Words splitWords(std::string_view text);

/// "getWeatherForCity", "get_weather-for.city" → get, weather, for, city.
[[nodiscard]] Words splitIdentifier(std::string_view identifier);

/// Light stemming: plural, -ing, -ed. "lights" and "light" meet, so do "opening" and "open".
[[nodiscard]] std::string stem(std::string_view word);

[[nodiscard]] std::string joinWords(std::span<const std::string> words, std::string_view glue = " ");

/// Whether `phrase` (words parted by one space) occurs in `words`.
[[nodiscard]] bool containsPhrase(std::span<const std::string> words, std::string_view phrase);
[[nodiscard]] bool containsAny(std::span<const std::string> words, std::initializer_list<std::string_view> phrases);

/// Whether the words begin with `phrase`.
[[nodiscard]] bool startsWithPhrase(std::span<const std::string> words, std::string_view phrase);

/// Where `phrase` starts; npos where it does not occur.
[[nodiscard]] std::size_t findPhrase(std::span<const std::string> words, std::string_view phrase, std::size_t from = 0);

/// Leading and trailing politeness ("please", "can you", "hey") taken off; never takes the last word.
[[nodiscard]] Words withoutPoliteness(Words words);

/// "Forty two." of "forty two."
[[nodiscard]] std::string withCapital(std::string sentence);

/// "a, b and c"; `last` is "and" or "or".
[[nodiscard]] std::string listed(std::span<const std::string> parts, std::string_view last = "and");

} // namespace vivavoce::agent::skills
