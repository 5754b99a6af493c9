#pragma once

#include "agent/skills/words.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

/// Numbers as they are said, both ways. Pure. [any thread]
namespace vivavoce::agent::skills {

/// Whether homophones ("to", "too", "for", "won", "ate") may stand for digits: only where a number must be.
enum class Homophones { No, Yes };

/// A number read from the front of some words.
struct SpokenNumber {
    double value = 0;
    /// How many words it took.
    std::size_t length = 0;
};

/// Reads "minus one hundred and five point two five", "3.5", "a hundred", "half", "two and a half", "third" is not a number.
/// Absent where the words do not start with one.
[[nodiscard]] std::optional<SpokenNumber> readNumber(
    std::span<const std::string> words, Homophones homophones = Homophones::No);

/// The first number anywhere in the words; `at` gets where it starts.
[[nodiscard]] std::optional<SpokenNumber> findNumber(std::span<const std::string> words, std::size_t& at);

/// "one hundred and five point two five": up to `decimals` places, rounded; from 10^15 on in powers of ten.
[[nodiscard]] std::string numberWords(double value, int decimals = 3);
[[nodiscard]] std::string numberWords(std::int64_t value);

/// 21 → "twenty first". Valid from 1 to 99.
[[nodiscard]] std::string ordinalWords(int value);

/// 2026 → "twenty twenty six", 1905 → "nineteen oh five", 2003 → "two thousand and three".
[[nodiscard]] std::string yearWords(int year);

} // namespace vivavoce::agent::skills
