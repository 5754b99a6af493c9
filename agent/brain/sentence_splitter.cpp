#include "agent/brain/sentence_splitter.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vivavoce::agent::brain {

namespace {

bool isSpace(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool isCloser(char c)
{
    return c == '"' || c == '\'' || c == ')' || c == ']';
}

/// Folds white space to single spaces; none at the start.
void append(std::string& text, std::string_view piece)
{
    for (const char c : piece) {
        if (c == '\n' && !text.empty()) {
            // A line's end is kept: it ends a sentence (lists, headings).
            while (!text.empty() && text.back() == ' ') {
                text.pop_back();
            }
            if (!text.empty() && text.back() != '\n') {
                text += '\n';
            }
        } else if (!isSpace(c)) {
            text += c;
        } else if (!text.empty() && !isSpace(text.back())) {
            text += ' ';
        }
    }
}

bool isAbbreviation(std::string_view text, std::size_t stop)
{
    static constexpr std::array<std::string_view, 20> kAbbreviations{"mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc",
        "e.g", "i.e", "no", "approx", "sr", "jr", "inc", "ltd", "fig", "mt", "gen", "cf"};
    const auto space = text.find_last_of(" (\"\n", stop == 0 ? 0 : stop - 1);
    const std::size_t start = space == std::string_view::npos ? 0 : space + 1;
    std::string word(text.substr(start, stop - start));
    const bool isInitial = word.size() == 1 && word[0] >= 'A' && word[0] <= 'Z' && word[0] != 'I';
    std::transform(word.begin(), word.end(), word.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    // "no." is an abbreviation before a number alone: "No. 5".
    if (word == "no") {
        return stop + 2 < text.size() && text[stop + 2] >= '0' && text[stop + 2] <= '9';
    }
    return isInitial || std::find(kAbbreviations.begin(), kAbbreviations.end(), word) != kAbbreviations.end();
}

/// Where the first sentence of `text` ends (one past its last byte); 0 while that is not certain.
std::size_t sentenceEnd(std::string_view text)
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\n') {
            return i;
        }
        if (c != '.' && c != '!' && c != '?') {
            continue;
        }
        std::size_t end = i + 1;
        while (end < text.size() && (text[end] == '.' || text[end] == '!' || text[end] == '?' || isCloser(text[end]))) {
            ++end;
        }
        // What follows decides, so the end of what is there is never certain.
        if (end + 1 >= text.size()) {
            return end < text.size() && text[end] == '\n' ? end : 0;
        }
        const bool isEllipsis = text.substr(i, 2) == "..";
        const char next = text[end + 1];
        const bool goesOn = isEllipsis && next >= 'a' && next <= 'z';
        if (isSpace(text[end]) && !goesOn && !(c == '.' && !isEllipsis && isAbbreviation(text, i))) {
            return end;
        }
        i = end - 1;
    }
    return 0;
}

/// Where to cut a sentence that has grown too long.
std::size_t cutPoint(std::string_view text)
{
    const std::string_view head = text.substr(0, SentenceSplitter::kLongSentence);
    for (std::size_t i = head.size() - 1; i > SentenceSplitter::kLongSentence / 3; --i) {
        if (head[i] == ' ' && (head[i - 1] == ',' || head[i - 1] == ';' || head[i - 1] == ':')) {
            return i;
        }
    }
    const auto space = head.rfind(' ');
    if (space != std::string_view::npos && space > 0) {
        return space;
    }
    // One endless word: cut between characters of UTF-8.
    std::size_t cut = head.size();
    while (cut > 1 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) {
        --cut;
    }
    return cut;
}

} // namespace

std::vector<std::string> SentenceSplitter::add(std::string_view piece)
{
    append(m_text, piece);
    std::vector<std::string> sentences;
    while (true) {
        std::size_t end = sentenceEnd(m_text);
        if ((end == 0 || end > kLongSentence) && m_text.size() > kLongSentence) {
            end = cutPoint(m_text);
        }
        if (end == 0) {
            return sentences;
        }
        sentences.push_back(m_text.substr(0, end));
        while (end < m_text.size() && isSpace(m_text[end])) {
            ++end;
        }
        m_text.erase(0, end);
    }
}

std::string SentenceSplitter::finish()
{
    std::string rest = std::exchange(m_text, {});
    while (!rest.empty() && isSpace(rest.back())) {
        rest.pop_back();
    }
    return rest;
}

} // namespace vivavoce::agent::brain
