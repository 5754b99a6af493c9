#include "agent/skills/words.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vivavoce::agent::skills {

namespace {

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

bool isLetter(char c)
{
    // Bytes of UTF-8 beyond ASCII belong to words.
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

bool isUpper(char c)
{
    return c >= 'A' && c <= 'Z';
}

char lower(char c)
{
    return isUpper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

void pushWord(Words& words, std::string word)
{
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kShort{
        {{"what's", "is"}, {"who's", "is"}, {"how's", "is"}, {"where's", "is"}, {"when's", "is"}, {"it's", "is"},
            {"that's", "is"}, {"there's", "is"}, {"i'm", "am"}, {"you're", "are"}, {"let's", "us"}, {"i'd", "would"}}};
    while (!word.empty() && word.back() == '\'') {
        word.pop_back();
    }
    if (word.empty()) {
        return;
    }
    const auto found =
        std::find_if(kShort.begin(), kShort.end(), [&](const auto& entry) { return entry.first == word; });
    if (found == kShort.end()) {
        words.push_back(std::move(word));
        return;
    }
    words.push_back(word.substr(0, word.find('\'')));
    words.emplace_back(found->second);
}

} // namespace

Words splitWords(std::string_view text)
{
    Words words;
    std::string word;
    const auto flush = [&] { pushWord(words, std::exchange(word, {})); };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const char next = i + 1 < text.size() ? text[i + 1] : ' ';
        const bool wasDigit = !word.empty() && isDigit(word.back());
        // U+2019 is how typed text often writes the apostrophe.
        if (text.substr(i, 3) == "\xE2\x80\x99") {
            if (!word.empty()) {
                word += '\'';
            }
            i += 2;
        } else if (isLetter(c)) {
            if (wasDigit) {
                flush();
            }
            word += lower(c);
        } else if (isDigit(c)) {
            word += c;
        } else if (c == '\'' && !word.empty()) {
            word += c;
        } else if (c == '.' && wasDigit && isDigit(next)) {
            word += c;
        } else if (c == ',' && wasDigit && isDigit(next)) {
            continue;
        } else if (c == '-' && word.empty() && isDigit(next) && (words.empty() || !isDigit(words.back().back()))) {
            word += c;
        } else {
            flush();
            static constexpr std::array<std::pair<char, std::string_view>, 6> kSigns{
                {{'+', "plus"}, {'*', "times"}, {'/', "over"}, {'%', "percent"}, {'^', "power"}, {'-', "minus"}}};
            const bool afterNumber = !words.empty() && isDigit(words.back().back());
            const auto sign =
                std::find_if(kSigns.begin(), kSigns.end(), [c](const auto& entry) { return entry.first == c; });
            if (afterNumber && sign != kSigns.end()) {
                words.emplace_back(sign->second);
            }
        }
    }
    flush();
    return words;
}

Words splitIdentifier(std::string_view identifier)
{
    Words words;
    std::string word;
    for (std::size_t i = 0; i < identifier.size(); ++i) {
        const char c = identifier[i];
        const bool isWordByte = isLetter(c) || isDigit(c);
        const bool startsHump = isUpper(c) && i > 0
            && (!isUpper(identifier[i - 1])
                || (i + 1 < identifier.size() && isLetter(identifier[i + 1]) && !isUpper(identifier[i + 1])));
        if ((!isWordByte || startsHump) && !word.empty()) {
            words.push_back(std::exchange(word, {}));
        }
        if (isWordByte) {
            word += lower(c);
        }
    }
    if (!word.empty()) {
        words.push_back(std::move(word));
    }
    return words;
}

std::string stem(std::string_view word)
{
    const auto endsWith = [&](std::string_view end) { return word.size() >= end.size() + 3 && word.ends_with(end); };
    const auto undoubled = [](std::string_view base) {
        const std::size_t size = base.size();
        const bool isDouble =
            size > 3 && base[size - 1] == base[size - 2] && base[size - 1] != 'l' && base[size - 1] != 's';
        return std::string(base.substr(0, isDouble ? size - 1 : size));
    };
    std::string result(word);
    if (endsWith("'s")) {
        result = std::string(word.substr(0, word.size() - 2));
    } else if (endsWith("ies")) {
        result = std::string(word.substr(0, word.size() - 3)) + "y";
    } else if (endsWith("ing")) {
        result = undoubled(word.substr(0, word.size() - 3));
    } else if (endsWith("ed")) {
        result = undoubled(word.substr(0, word.size() - 2));
    } else if (endsWith("ches") || endsWith("shes") || endsWith("sses") || endsWith("xes")) {
        result = std::string(word.substr(0, word.size() - 2));
    } else if (word.size() > 3 && word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us")
        && !word.ends_with("is")) {
        result = std::string(word.substr(0, word.size() - 1));
    }
    if (result.size() > 3 && result.back() == 'e') {
        result.pop_back();
    }
    return result;
}

std::string joinWords(std::span<const std::string> words, std::string_view glue)
{
    std::string text;
    for (const std::string& word : words) {
        if (!text.empty()) {
            text += glue;
        }
        text += word;
    }
    return text;
}

bool startsWithPhrase(std::span<const std::string> words, std::string_view phrase)
{
    for (const std::string& word : words) {
        const auto space = phrase.find(' ');
        if (word != phrase.substr(0, space)) {
            return false;
        }
        if (space == std::string_view::npos) {
            return true;
        }
        phrase.remove_prefix(space + 1);
    }
    return phrase.empty();
}

std::size_t findPhrase(std::span<const std::string> words, std::string_view phrase, std::size_t from)
{
    for (std::size_t start = from; start < words.size(); ++start) {
        if (startsWithPhrase(words.subspan(start), phrase)) {
            return start;
        }
    }
    return std::string::npos;
}

bool containsPhrase(std::span<const std::string> words, std::string_view phrase)
{
    return findPhrase(words, phrase) != std::string::npos;
}

bool containsAny(std::span<const std::string> words, std::initializer_list<std::string_view> phrases)
{
    return std::any_of(
        phrases.begin(), phrases.end(), [&](std::string_view phrase) { return containsPhrase(words, phrase); });
}

Words withoutPoliteness(Words words)
{
    static constexpr std::array<std::string_view, 14> kLeading{"please", "can you", "could you", "would you",
        "will you", "hey", "okay", "ok", "so", "well", "now", "i want you to", "i would like you to", "um"};
    static constexpr std::array<std::string_view, 4> kTrailing{"please", "for me", "thanks", "thank you"};
    const auto count = [](std::string_view phrase) {
        return static_cast<std::size_t>(std::count(phrase.begin(), phrase.end(), ' ')) + 1;
    };
    for (bool changed = true; changed;) {
        changed = false;
        for (const std::string_view phrase : kLeading) {
            if (words.size() > count(phrase) && startsWithPhrase(words, phrase)) {
                words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count(phrase)));
                changed = true;
            }
        }
        for (const std::string_view phrase : kTrailing) {
            const std::size_t size = count(phrase);
            if (words.size() > size && startsWithPhrase(std::span(words).subspan(words.size() - size), phrase)) {
                words.resize(words.size() - size);
                changed = true;
            }
        }
    }
    return words;
}

std::string withCapital(std::string sentence)
{
    if (!sentence.empty() && sentence[0] >= 'a' && sentence[0] <= 'z') {
        sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
    }
    return sentence;
}

std::string listed(std::span<const std::string> parts, std::string_view last)
{
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) {
            text += i + 1 < parts.size() ? ", " : " " + std::string(last) + " ";
        }
        text += parts[i];
    }
    return text;
}

} // namespace vivavoce::agent::skills
