#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::agent::brain {

/// Turns text that arrives in pieces into sentences for a voice, each as early as its end is certain. Abbreviations, initials,
/// decimals and ellipses do not end a sentence; a sentence over kLongSentence is cut at a comma, else at a space. Pure.
/// Invariant: the sentences and the rest, joined with spaces, are the text with its white space folded.
class SentenceSplitter {
public:
    /// Bytes after which a sentence is cut where it can be.
    static constexpr std::size_t kLongSentence = 220;

    /// The sentences that are whole now.
    [[nodiscard]] std::vector<std::string> add(std::string_view piece);
    /// What is left at the end of the text; may be empty. The splitter is ready for another text then.
    [[nodiscard]] std::string finish();

private:
    std::string m_text;
};

} // namespace vivavoce::agent::brain
