#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// What people say to the skills, for the recogniser: a grammar of commands and sentences drawn from it. Every word is lower case
/// and in the pronouncing dictionary of the en-us model. [any thread; pure]
namespace vivavoce::agent::skills {

/// The grammar as JSGF 1.0 text ("#JSGF V1.0;"), grammar `commands` with one public rule `command`.
[[nodiscard]] std::string commandGrammarJsgf();

/// `count` sentences of the grammar, without duplicates as far as it has that many; the same seed gives the same sentences.
[[nodiscard]] std::vector<std::string> sampleSentences(std::size_t count, std::uint32_t seed);

} // namespace vivavoce::agent::skills
