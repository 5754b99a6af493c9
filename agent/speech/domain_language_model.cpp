#include "agent/speech/domain_language_model.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <sstream>

namespace vivavoce::agent::speech {
namespace {

using Word = std::uint32_t;
constexpr Word kBegin = 0;
constexpr Word kEnd = 1;
/// What ARPA files say for "never": the begin mark is only ever a context.
constexpr double kNever = -99;

/// Words after one context: how often each, and how often any.
struct Followers {
    std::map<Word, std::uint32_t> counts;
    double total = 0;

    void add(Word word)
    {
        ++counts[word];
        ++total;
    }
    [[nodiscard]] double kinds() const { return static_cast<double>(counts.size()); }
    /// The share of the shorter context: what the unseen words have together.
    [[nodiscard]] double backoff() const { return kinds() / (total + kinds()); }
};

using Pair = std::array<Word, 2>;

class Counts {
public:
    explicit Counts(const std::vector<std::string>& sentences)
    {
        id("<s>");
        id("</s>");
        for (const std::string& sentence : sentences) {
            add(sentence);
        }
    }

    [[nodiscard]] double unigram(Word word) const
    {
        // The last shorter context: every word alike.
        const double uniform = 1.0 / static_cast<double>(m_words.size() - 1);
        return interpolate(m_unigrams, word, uniform);
    }
    [[nodiscard]] double bigram(Word first, Word word) const
    {
        const auto followers = m_bigrams.find(first);
        return followers == m_bigrams.end() ? unigram(word) : interpolate(followers->second, word, unigram(word));
    }
    [[nodiscard]] double trigram(const Pair& context, Word word) const
    {
        return interpolate(m_trigrams.at(context), word, bigram(context[1], word));
    }

    [[nodiscard]] std::string arpa() const;

private:
    static double interpolate(const Followers& followers, Word word, double shorter)
    {
        const auto seen = followers.counts.find(word);
        const double count = seen == followers.counts.end() ? 0 : seen->second;
        return (count + followers.kinds() * shorter) / (followers.total + followers.kinds());
    }

    Word id(const std::string& word)
    {
        const auto [place, isNew] = m_ids.emplace(word, static_cast<Word>(m_words.size()));
        if (isNew) {
            m_words.push_back(word);
        }
        return place->second;
    }

    void add(const std::string& sentence)
    {
        std::istringstream words(sentence);
        std::vector<Word> ids{kBegin};
        for (std::string word; words >> word;) {
            ids.push_back(id(word));
        }
        if (ids.size() == 1) {
            return;
        }
        ids.push_back(kEnd);
        for (std::size_t i = 1; i < ids.size(); ++i) {
            m_unigrams.add(ids[i]);
            m_bigrams[ids[i - 1]].add(ids[i]);
            if (i > 1) {
                m_trigrams[{ids[i - 2], ids[i - 1]}].add(ids[i]);
            }
        }
    }

    std::map<std::string, Word> m_ids;
    std::vector<std::string> m_words;
    Followers m_unigrams;
    std::map<Word, Followers> m_bigrams;
    std::map<Pair, Followers> m_trigrams;
};

void writeLine(std::string& out, double probability, const std::string& words, double backoff)
{
    std::array<char, 64> number{};
    std::snprintf(number.data(), number.size(), "%.6f\t", probability);
    out += number.data();
    out += words;
    if (backoff < 0) {
        std::snprintf(number.data(), number.size(), "\t%.6f", backoff);
        out += number.data();
    }
    out += '\n';
}

std::string Counts::arpa() const
{
    std::size_t bigrams = 0;
    std::size_t trigrams = 0;
    for (const auto& [first, followers] : m_bigrams) {
        bigrams += followers.counts.size();
    }
    for (const auto& [context, followers] : m_trigrams) {
        trigrams += followers.counts.size();
    }
    std::string out = "\\data\\\nngram 1=" + std::to_string(m_words.size()) + "\nngram 2=" + std::to_string(bigrams)
        + "\nngram 3=" + std::to_string(trigrams) + "\n\n\\1-grams:\n";
    const auto backoffOf = [](const auto& contexts, const auto& context) {
        const auto followers = contexts.find(context);
        return followers == contexts.end() ? 0.0 : std::log10(followers->second.backoff());
    };
    for (Word word = 0; word < m_words.size(); ++word) {
        const double probability = word == kBegin ? kNever : std::log10(unigram(word));
        writeLine(out, probability, m_words[word], backoffOf(m_bigrams, word));
    }
    out += "\n\\2-grams:\n";
    for (const auto& [first, followers] : m_bigrams) {
        for (const auto& [word, count] : followers.counts) {
            writeLine(out, std::log10(bigram(first, word)), m_words[first] + " " + m_words[word],
                backoffOf(m_trigrams, Pair{first, word}));
        }
    }
    out += "\n\\3-grams:\n";
    for (const auto& [context, followers] : m_trigrams) {
        for (const auto& [word, count] : followers.counts) {
            writeLine(out, std::log10(trigram(context, word)),
                m_words[context[0]] + " " + m_words[context[1]] + " " + m_words[word], 0);
        }
    }
    out += "\n\\end\\\n";
    return out;
}

} // namespace

std::string makeArpa(const std::vector<std::string>& sentences)
{
    return Counts(sentences).arpa();
}

} // namespace vivavoce::agent::speech
