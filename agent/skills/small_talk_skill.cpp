#include "agent/skills/skill.h"

#include <array>

namespace vivavoce::agent::skills {

namespace {

enum class Topic { None, Hello, HowAreYou, WhoAreYou, Thanks, Goodbye, Joke };

Topic topicOf(const Utterance& utterance)
{
    const Words& words = utterance.words;
    if (containsAny(words, {"joke", "make me laugh", "something funny"})) {
        return Topic::Joke;
    }
    if (containsAny(words, {"how are you", "how do you do", "how is it going", "how are things"})) {
        return Topic::HowAreYou;
    }
    if (containsAny(words, {"who are you", "what are you", "your name", "introduce yourself"})) {
        return Topic::WhoAreYou;
    }
    // Politeness was taken off the words, unless it was all there was.
    if (words.size() <= 5 && containsAny(words, {"thank you", "thanks", "thank"})) {
        return Topic::Thanks;
    }
    if (words.size() <= 4 && containsAny(words, {"goodbye", "good bye", "bye", "good night", "see you", "bye bye"})) {
        return Topic::Goodbye;
    }
    if (words.size() <= 4
        && containsAny(words, {"hello", "hi", "hey", "good morning", "good afternoon", "good evening", "greetings"})) {
        return Topic::Hello;
    }
    return Topic::None;
}

constexpr std::array<const char*, 5> kJokes{
    "Why did the clock go back four seconds? It was still hungry.",
    "I would tell you a joke about silence, but I never know when to start.",
    "What did zero say to eight? Nice belt.",
    "Why was the microphone so calm? It had learned to listen.",
    "Parallel lines have so much in common. It is a pity that they will never meet.",
};

class SmallTalkSkill final : public Skill {
public:
    [[nodiscard]] double matches(const Utterance& utterance) const override
    {
        return topicOf(utterance) == Topic::None ? kNoMatch : utterance.words.size() <= 5 ? kFullMatch : kGoodMatch;
    }

    [[nodiscard]] std::string answer(const Utterance& utterance, SkillContext& context) const override
    {
        switch (topicOf(utterance)) {
        case Topic::Hello:
            return "Hello! What can I do for you?";
        case Topic::HowAreYou:
            return "I am fine, thank you. What can I do for you?";
        case Topic::WhoAreYou:
            return "I am the offline agent of Vivavoce. I run on your own computer and understand simple commands.";
        case Topic::Thanks:
            return "You are welcome.";
        case Topic::Goodbye:
            return "Goodbye!";
        case Topic::Joke:
            return joke(context);
        case Topic::None:
            break;
        }
        return "Hello!";
    }

private:
    static std::string joke(SkillContext& context)
    {
        const std::size_t first = context.below(kJokes.size());
        // Never the same one twice in a row.
        return kJokes[first] == context.lastReply ? kJokes[(first + 1) % kJokes.size()] : kJokes[first];
    }
};

class HelpSkill final : public Skill {
public:
    [[nodiscard]] double matches(const Utterance& utterance) const override
    {
        const Words& words = utterance.words;
        if (words == Words{"help"} || words == Words{"help", "me"}
            || containsAny(words,
                {"what can you do", "what can i say", "what can i ask", "what do you understand",
                    "how can you help"})) {
            return kFullMatch;
        }
        return kNoMatch;
    }

    [[nodiscard]] std::string answer(const Utterance&, SkillContext&) const override
    {
        return "I can tell the time and the date, set timers, calculate, convert units, choose at random and spell words. "
               "Say for example: what is twelve times seven, set a timer for five minutes, or convert ten miles to kilometers.";
    }
};

} // namespace

std::unique_ptr<Skill> makeSmallTalkSkill()
{
    return std::make_unique<SmallTalkSkill>();
}

std::unique_ptr<Skill> makeHelpSkill()
{
    return std::make_unique<HelpSkill>();
}

} // namespace vivavoce::agent::skills
