#pragma once

#include <cstddef>
#include <string>

namespace vivavoce::bench {

/// Words that were right and words that were said, as speech recognition counts them: said minus substitutions, deletions and
/// insertions (never below zero).
struct WordScore {
    std::size_t said = 0;
    std::size_t right = 0;
};

[[nodiscard]] WordScore scoreWords(const std::string& said, const std::string& heard);

} // namespace vivavoce::bench
