#include "agent/skills/tool_matcher.h"

#include "agent/skills/spoken_numbers.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vivavoce::agent::skills {

namespace {

template <std::size_t N>
bool isOneOf(std::string_view word, const std::array<std::string_view, N>& words)
{
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// Verbs that name no action of their own; a function is as well meant without them.
bool isPlainVerb(std::string_view word)
{
    static constexpr std::array<std::string_view, 14> kPlain{"get", "set", "fetch", "find", "query", "lookup", "look",
        "show", "read", "do", "run", "tell", "check", "current"};
    return isOneOf(word, kPlain);
}

/// Verbs whose act is not taken back by asking again: the function needs the verb to be said.
bool isActionVerb(std::string_view meaning)
{
    static constexpr std::array<std::string_view, 29> kActions{"delet", "send", "buy", "cancel", "open", "clos", "lock",
        "unlock", "call", "book", "pay", "transfer", "start", "stop", "creat", "play", "paus", "mut", "unmut", "reset",
        "restart", "post", "shar", "increas", "decreas", "enabl", "disabl", "mov", "navigat"};
    return isOneOf(meaning, kActions);
}

bool hasOne(std::span<const std::string> words, std::string_view meaning)
{
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return meaningOf(word) == meaning; });
}

bool isOpposite(const Words& said, const Words& name)
{
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kOpposites{
        {{"open", "clos"}, {"lock", "unlock"}, {"start", "stop"}, {"on", "off"}, {"increas", "decreas"}, {"up", "down"},
            {"creat", "delet"}, {"play", "paus"}, {"play", "stop"}, {"next", "previous"}, {"enabl", "disabl"},
            {"mut", "unmut"}, {"set", "cancel"}, {"start", "cancel"}, {"send", "read"}, {"creat", "cancel"}}};
    const auto opposes = [&](std::string_view mine, std::string_view other) {
        return hasOne(name, mine) && hasOne(said, other) && !hasOne(said, mine) && !hasOne(name, other);
    };
    return containsAny(said, {"don't", "do not", "never"})
        || std::any_of(kOpposites.begin(), kOpposites.end(),
            [&](const auto& pair) { return opposes(pair.first, pair.second) || opposes(pair.second, pair.first); });
}

struct ParameterHits {
    bool hasChoice = false;
    bool takesNumber = false;
};

void markParameters(
    const Words& said, const std::vector<ToolParameter>& parameters, std::vector<bool>& explained, ParameterHits& hits)
{
    for (const ToolParameter& parameter : parameters) {
        for (const auto& choice : parameter.choices) {
            const std::size_t at = findMeaning(said, choice.words);
            for (std::size_t i = 0; at != std::string::npos && i < choice.words.size(); ++i) {
                explained[at + i] = true;
                hits.hasChoice = true;
            }
        }
        hits.takesNumber |=
            parameter.type == ToolParameter::Type::Number || parameter.type == ToolParameter::Type::Integer;
        for (std::size_t i = 0; i < said.size(); ++i) {
            const auto matches = [&](const std::string& word) { return !isFiller(word) && meansSame(word, said[i]); };
            explained[i] = explained[i] || std::any_of(parameter.nameWords.begin(), parameter.nameWords.end(), matches)
                || std::any_of(parameter.descriptionWords.begin(), parameter.descriptionWords.end(), matches);
        }
        markParameters(said, parameter.children, explained, hits);
    }
}

} // namespace

std::string meaningOf(std::string_view word)
{
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 47> kSynonyms{{{"lamp", "light"},
        {"switch", "turn"}, {"begin", "start"}, {"launch", "start"}, {"halt", "stop"}, {"quit", "stop"},
        {"shut", "clos"}, {"mak", "creat"}, {"add", "creat"}, {"new", "creat"}, {"remov", "delet"}, {"eras", "delet"},
        {"clear", "delet"}, {"order", "buy"}, {"purchas", "buy"}, {"phon", "call"}, {"dial", "call"}, {"ring", "call"},
        {"text", "messag"}, {"sms", "messag"}, {"photo", "imag"}, {"pictur", "imag"}, {"film", "movi"},
        {"movie", "movi"}, {"track", "song"}, {"tune", "song"}, {"colour", "color"}, {"mail", "email"},
        {"rais", "increas"}, {"lower", "decreas"}, {"reduc", "decreas"}, {"reserv", "book"}, {"schedul", "book"},
        {"forecast", "weather"}, {"town", "city"}, {"location", "city"}, {"plac", "city"}, {"appointment", "meet"},
        {"listen", "play"}, {"deactivat", "disabl"}, {"activat", "enabl"}, {"pric", "cost"}, {"quot", "cost"},
        {"cab", "taxi"}, {"writ", "send"}, {"grocery", "shop"}, {"thermostat", "temperatur"}}};
    std::string result = stem(word);
    for (const auto& [from, to] : kSynonyms) {
        if (result == from) {
            return std::string(to);
        }
    }
    return result;
}

bool isFiller(std::string_view word)
{
    static constexpr std::array<std::string_view, 60> kFillers{"a", "an", "the", "of", "in", "to", "for", "at", "by",
        "with", "and", "or", "is", "are", "it", "its", "me", "my", "i", "you", "your", "we", "us", "be", "do", "does",
        "what", "which", "how", "when", "where", "who", "this", "that", "there", "please", "can", "could", "would",
        "will", "some", "any", "like", "want", "need", "have", "has", "from", "into", "as", "am", "was", "if", "per",
        "current", "given", "about", "now", "e", "g"};
    return isOneOf(word, kFillers);
}

bool meansSame(std::string_view a, std::string_view b)
{
    if (a == b || meaningOf(a) == meaningOf(b)) {
        return true;
    }
    if (a.size() != b.size() || a.size() < 6) {
        return false;
    }
    std::size_t differences = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        differences += a[i] != b[i] ? 1 : 0;
    }
    return differences == 1;
}

std::size_t findMeaning(std::span<const std::string> words, std::span<const std::string> wanted)
{
    for (std::size_t start = 0; !wanted.empty() && start + wanted.size() <= words.size(); ++start) {
        if (std::equal(wanted.begin(), wanted.end(), words.begin() + static_cast<std::ptrdiff_t>(start),
                [](const std::string& a, const std::string& b) { return meansSame(a, b); })) {
            return start;
        }
    }
    return std::string::npos;
}

double toolScore(const Utterance& utterance, const ToolSpec& tool)
{
    const Words& said = utterance.words;
    if (said.empty() || isOpposite(said, tool.nameWords)) {
        return 0;
    }
    std::vector<bool> explained(said.size(), false);
    double nameWeight = 0;
    double nameHit = 0;
    bool missesAction = false;
    for (const std::string& word : tool.nameWords) {
        if (isFiller(word)) {
            continue;
        }
        const double weight = isPlainVerb(word) ? 0.05 : 1;
        nameWeight += weight;
        bool isSaid = false;
        for (std::size_t i = 0; i < said.size(); ++i) {
            if (meansSame(word, said[i])) {
                explained[i] = true;
                isSaid = true;
            }
        }
        nameHit += isSaid ? weight : 0;
        missesAction |= !isSaid && isActionVerb(meaningOf(word));
    }
    ParameterHits hits;
    markParameters(said, tool.parameters, explained, hits);
    std::size_t at = 0;
    const auto number = findNumber(said, at);
    for (std::size_t i = 0; number && hits.takesNumber && i < number->length; ++i) {
        explained[at + i] = true;
    }
    double known = 0;
    double content = 0;
    double described = 0;
    for (std::size_t i = 0; i < said.size(); ++i) {
        if (isFiller(said[i]) || isPlainVerb(said[i])) {
            continue;
        }
        ++content;
        const bool isDescribed = std::any_of(tool.descriptionWords.begin(), tool.descriptionWords.end(),
            [&](const std::string& word) { return meansSame(word, said[i]); });
        described += isDescribed ? 1 : 0;
        known += explained[i] || isDescribed ? 1 : 0;
    }
    const double coverage = content == 0 ? 0 : known / content;
    const double name = nameWeight == 0 ? 0 : nameHit / nameWeight;
    const double description = std::min(1.0, described / 2);
    const double score = 0.6 * name + 0.2 * coverage + (hits.hasChoice ? 0.2 : 0) + 0.25 * description;
    return std::min(missesAction ? std::min(score, kToolMatch - 0.05) : score, 1.0);
}

} // namespace vivavoce::agent::skills
