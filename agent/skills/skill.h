#pragma once

#include "agent/ports.h"
#include "agent/skills/words.h"
#include "core/base/clock.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::agent::skills {

/// What was said, in the forms that skills ask for.
struct Utterance {
    explicit Utterance(std::string said, bool certain = true)
        : text(std::move(said)), words(withoutPoliteness(splitWords(text))), isCertain(certain)
    {
        words.resize(std::min(words.size(), kMostWords));
    }

    /// Nobody says a command of more words; it bounds the work that a long text makes.
    static constexpr std::size_t kMostWords = 400;

    std::string text;
    Words words;
    /// False: the recogniser does not vouch for the words.
    bool isCertain;
};

/// A timer that runs.
struct RunningTimer {
    std::uint64_t reminder = 0;
    core::MonotonicTime due;
    core::Milliseconds length{0};
};

/// What a conversation keeps for its skills, and what they may use.
struct SkillContext {
    const core::Clock& clock;
    std::mt19937& random;
    SpeakingStyle style;
    std::vector<RunningTimer> timers;
    ReminderChanges reminders;
    std::uint64_t lastReminder = 0;
    /// The last thing that was said to the user; empty at the start.
    std::string lastReply;

    /// 0 to count - 1, the same on every platform for one seed. `count` is at least 1.
    [[nodiscard]] std::size_t below(std::size_t count) { return static_cast<std::size_t>(random() % count); }
};

/// How well a skill fits: from 0 (not at all) over 1 (its own words, in full).
inline constexpr double kNoMatch = 0.0;
inline constexpr double kWeakMatch = 0.4;
inline constexpr double kGoodMatch = 0.7;
inline constexpr double kFullMatch = 0.95;

/// One thing that the brain can do. Stateless: what it remembers is in the context.
class Skill {
public:
    virtual ~Skill() = default;
    [[nodiscard]] virtual double matches(const Utterance& utterance) const = 0;
    /// The reply, ready to be spoken. Called only after a match.
    [[nodiscard]] virtual std::string answer(const Utterance& utterance, SkillContext& context) const = 0;
    /// Whether an answer changes something that the user would have to undo: not done on uncertain words with a weak match.
    [[nodiscard]] virtual bool hasSideEffects() const { return false; }
};

/// Every skill, in order of precedence at equal scores.
[[nodiscard]] std::vector<std::unique_ptr<Skill>> makeSkills();

std::unique_ptr<Skill> makeTimeSkill();
std::unique_ptr<Skill> makeDateSkill();
std::unique_ptr<Skill> makeTimerSkill();
std::unique_ptr<Skill> makeArithmeticSkill();
std::unique_ptr<Skill> makeConversionSkill();
std::unique_ptr<Skill> makeChoiceSkill();
std::unique_ptr<Skill> makeSpellingSkill();
std::unique_ptr<Skill> makeRepeatSkill();
std::unique_ptr<Skill> makeStyleSkill();
std::unique_ptr<Skill> makeSmallTalkSkill();
std::unique_ptr<Skill> makeHelpSkill();
std::unique_ptr<Skill> makeStopSkill();

} // namespace vivavoce::agent::skills
