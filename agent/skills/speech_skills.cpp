#include "agent/skills/skill.h"

#include <algorithm>
#include <cctype>

/// The skills about speaking itself: spelling, repeating, style, silence.
namespace vivavoce::agent::skills {

namespace {

/// The words to spell: what follows "spell", without "the word" and the like.
Words wordsToSpell(const Words& words)
{
    const auto spell = std::find(words.begin(), words.end(), "spell");
    Words rest(spell == words.end() ? words.end() : spell + 1, words.end());
    for (const Words& lead : {Words{"the", "word"}, Words{"the", "name"}, Words{"word"}, Words{"me"}}) {
        if (rest.size() > lead.size() && std::equal(lead.begin(), lead.end(), rest.begin())) {
            rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(lead.size()));
        }
    }
    return rest;
}

class SpellingSkill final : public Skill {
public:
    [[nodiscard]] double matches(const Utterance& utterance) const override
    {
        return containsPhrase(utterance.words, "spell") ? kFullMatch : kNoMatch;
    }

    [[nodiscard]] std::string answer(const Utterance& utterance, SkillContext&) const override
    {
        const Words words = wordsToSpell(utterance.words);
        if (words.empty()) {
            return "Which word shall I spell?";
        }
        std::vector<std::string> spelled;
        for (const std::string& word : words) {
            std::string letters;
            for (const char c : word) {
                // Full stops make the voice say letters one by one; bytes beyond ASCII stay together.
                if (static_cast<unsigned char>(c) >= 0x80) {
                    letters += c;
                    continue;
                }
                letters += (letters.empty() ? "" : ", ");
                letters += c == '\'' ? std::string("apostrophe")
                                     : std::string(1, static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
            }
            spelled.push_back(word + ": " + letters + ".");
        }
        std::string text = joinWords(spelled);
        if (text[0] >= 'a' && text[0] <= 'z') {
            text[0] = static_cast<char>(text[0] - 'a' + 'A');
        }
        return text;
    }
};

class RepeatSkill final : public Skill {
public:
    [[nodiscard]] double matches(const Utterance& utterance) const override
    {
        const Words& words = utterance.words;
        if (containsAny(words,
                {"repeat that", "repeat it", "say that again", "say it again", "what did you say", "repeat yourself",
                    "come again"})) {
            return kFullMatch;
        }
        return words == Words{"repeat"} || words == Words{"again"} || words == Words{"pardon"} ? kFullMatch : kNoMatch;
    }

    [[nodiscard]] std::string answer(const Utterance&, SkillContext& context) const override
    {
        return context.lastReply.empty() ? "I have not said anything yet." : context.lastReply;
    }
};

class StyleSkill final : public Skill {
public:
    [[nodiscard]] double matches(const Utterance& utterance) const override
    {
        const Words& words = utterance.words;
        if (!isStyle(words)) {
            return kNoMatch;
        }
        return containsAny(words, {"speak", "talk", "slow down", "speed up", "turn it", "volume"}) || words.size() <= 2
            ? kFullMatch
            : kWeakMatch;
    }

    [[nodiscard]] std::string answer(const Utterance& utterance, SkillContext& context) const override
    {
        const Words& words = utterance.words;
        const SpeakingStyle before = context.style;
        if (containsAny(words, {"normally", "normal"})) {
            context.style = {};
            return "I speak normally again.";
        }
        if (containsAny(words, {"slower", "slow down", "slowly"})) {
            context.style.rate = std::max(kSlowest, context.style.rate * 0.8);
            return context.style.rate < before.rate ? "I speak slower now." : "I cannot speak slower than this.";
        }
        if (containsAny(words, {"faster", "speed up", "quicker", "more quickly"})) {
            context.style.rate = std::min(kFastest, context.style.rate * 1.25);
            return context.style.rate > before.rate ? "I speak faster now." : "I cannot speak faster than this.";
        }
        if (containsAny(words, {"quieter", "softer", "more quietly", "volume down", "turn it down", "less loud"})) {
            context.style.gain = std::max(kQuietest, context.style.gain * 0.7);
            return context.style.gain < before.gain ? "I speak more quietly now."
                                                    : "I cannot speak more quietly than this.";
        }
        context.style.gain = std::min(kLoudest, context.style.gain / 0.7);
        return context.style.gain > before.gain ? "I speak louder now." : "I cannot speak louder than this.";
    }

private:
    static constexpr double kSlowest = 0.5;
    static constexpr double kFastest = 2.0;
    static constexpr double kQuietest = 0.2;
    static constexpr double kLoudest = 3.0;

    static bool isStyle(const Words& words)
    {
        return containsAny(words,
            {"slower", "slow down", "speak slowly", "more slowly", "faster", "speed up", "more quickly", "quicker",
                "quieter", "softer", "more quietly", "louder", "speak up", "volume up", "volume down", "turn it up",
                "turn it down", "less loud", "speak normally", "talk normally", "normal voice"});
    }
};

class StopSkill final : public Skill {
public:
    [[nodiscard]] double matches(const Utterance& utterance) const override
    {
        const Words& words = utterance.words;
        for (const Words& whole : {Words{"stop"}, Words{"stop", "talking"}, Words{"stop", "it"}, Words{"be", "quiet"},
                 Words{"quiet"}, Words{"shut", "up"}, Words{"never", "mind"}, Words{"cancel"}, Words{"cancel", "that"},
                 Words{"enough"}, Words{"silence"}}) {
            if (words == whole) {
                return 1.0;
            }
        }
        return kNoMatch;
    }

    [[nodiscard]] std::string answer(const Utterance&, SkillContext&) const override { return "Okay."; }
};

} // namespace

std::unique_ptr<Skill> makeSpellingSkill()
{
    return std::make_unique<SpellingSkill>();
}

std::unique_ptr<Skill> makeRepeatSkill()
{
    return std::make_unique<RepeatSkill>();
}

std::unique_ptr<Skill> makeStyleSkill()
{
    return std::make_unique<StyleSkill>();
}

std::unique_ptr<Skill> makeStopSkill()
{
    return std::make_unique<StopSkill>();
}

} // namespace vivavoce::agent::skills
