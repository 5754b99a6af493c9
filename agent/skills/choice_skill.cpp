#include "agent/skills/skill.h"
#include "agent/skills/spoken_numbers.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace vivavoce::agent::skills {

namespace {

using Range = std::pair<std::int64_t, std::int64_t>;

/// "between one and ten", "from 5 to 7".
std::optional<Range> readRange(const Words& words)
{
    const auto whole = [](double value) { return std::abs(value) <= 1e12 && value == std::floor(value); };
    for (const auto& [lead, middle] : {std::pair{"between", "and"}, std::pair{"from", "to"}}) {
        const std::size_t start = findPhrase(words, lead);
        if (start == std::string::npos) {
            continue;
        }
        // "between one hundred and two hundred": every "and" may be the one that parts the numbers.
        for (std::size_t at = findPhrase(words, middle, start); at != std::string::npos;
             at = findPhrase(words, middle, at + 1)) {
            const auto first = readNumber(std::span(words).subspan(start + 1, at - start - 1), Homophones::Yes);
            const auto second = readNumber(std::span(words).subspan(at + 1), Homophones::Yes);
            if (first && second && first->length == at - start - 1 && whole(first->value) && whole(second->value)) {
                return std::minmax({static_cast<std::int64_t>(first->value), static_cast<std::int64_t>(second->value)});
            }
        }
    }
    return std::nullopt;
}

/// "tea or coffee or juice", "between red and blue".
std::vector<std::string> readOptions(const Words& words)
{
    std::size_t start = 0;
    for (const char* lead : {"choose", "pick", "select", "between", "decide", "from"}) {
        if (const std::size_t at = findPhrase(words, lead); at != std::string::npos) {
            start = std::max(start, at + 1);
        }
    }
    std::vector<std::string> options;
    std::string option;
    for (std::size_t i = start; i <= words.size(); ++i) {
        if (i == words.size() || words[i] == "or" || words[i] == "and") {
            if (!option.empty()) {
                options.push_back(std::exchange(option, {}));
            }
        } else if (words[i] != "either" && words[i] != "me") {
            option += (option.empty() ? "" : " ") + words[i];
        }
    }
    return options;
}

bool isCoin(const Words& words)
{
    return containsAny(
        words, {"flip a coin", "toss a coin", "throw a coin", "heads or tails", "flip coin", "coin flip", "coin toss"});
}

bool isDice(const Words& words)
{
    return containsAny(words, {"die", "dice"}) && containsAny(words, {"roll", "throw", "toss"});
}

class ChoiceSkill final : public Skill {
public:
    [[nodiscard]] double matches(const Utterance& utterance) const override
    {
        const Words& words = utterance.words;
        if (isCoin(words) || isDice(words) || containsPhrase(words, "random number")) {
            return kFullMatch;
        }
        const bool isAsked = containsAny(words, {"pick", "choose", "give me", "think of", "decide", "select"});
        if (isAsked && containsPhrase(words, "number")) {
            return readRange(words) || words.back() == "number" ? kFullMatch : kWeakMatch;
        }
        const bool isChoice = containsAny(words, {"pick", "choose", "decide"}) && containsAny(words, {"or", "between"});
        return isChoice && readOptions(words).size() >= 2 ? kFullMatch : kNoMatch;
    }

    [[nodiscard]] std::string answer(const Utterance& utterance, SkillContext& context) const override
    {
        const Words& words = utterance.words;
        if (isCoin(words)) {
            return context.below(2) == 0 ? "Heads." : "Tails.";
        }
        if (isDice(words)) {
            std::size_t at = 0;
            const auto count = findNumber(words, at);
            const bool isPair = containsAny(words, {"pair of dice"});
            return roll(isPair                                         ? 2
                    : count && count->value >= 1 && count->value <= 10 ? static_cast<int>(count->value)
                                                                       : 1,
                context);
        }
        const auto range = readRange(words);
        if (range || containsPhrase(words, "number")) {
            const auto [low, high] = range.value_or(Range{1, 100});
            const auto span = static_cast<std::uint64_t>(high - low) + 1;
            const std::uint64_t drawn =
                ((static_cast<std::uint64_t>(context.random()) << 32U) | context.random()) % span;
            return "I pick " + numberWords(low + static_cast<std::int64_t>(drawn)) + ".";
        }
        const auto options = readOptions(words);
        return options.empty() ? "Tell me what to choose between."
                               : "I choose " + options[context.below(options.size())] + ".";
    }

private:
    static std::string roll(int count, SkillContext& context)
    {
        std::vector<std::string> faces;
        std::int64_t sum = 0;
        for (int i = 0; i < count; ++i) {
            const auto face = static_cast<std::int64_t>(context.below(6)) + 1;
            sum += face;
            faces.push_back(numberWords(face));
        }
        return "I rolled " + listed(faces) + (count > 1 ? ". Together that is " + numberWords(sum) + "." : ".");
    }
};

} // namespace

std::unique_ptr<Skill> makeChoiceSkill()
{
    return std::make_unique<ChoiceSkill>();
}

} // namespace vivavoce::agent::skills
