#include "agent/skills/skill.h"
#include "agent/skills/spoken_numbers.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace vivavoce::agent::skills {

namespace {

using core::Milliseconds;
constexpr std::size_t kMostTimers = 20;
constexpr Milliseconds kLongest = std::chrono::hours{24};

/// Seconds of a unit of time; 0 for another word.
double unitSeconds(std::string_view word)
{
    return word.starts_with("second") ? 1 : word.starts_with("minute") ? 60 : word.starts_with("hour") ? 3600 : 0;
}

/// Adds up every "<number> <unit>" in the words: "one hour and thirty minutes", "half an hour", "a minute", "five minute timer".
std::optional<Milliseconds> readTimespan(const Words& words)
{
    double seconds = 0;
    bool any = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        // A homophone counts only right before a unit, and not where it is the preposition: "for for minutes" is four minutes.
        const bool unitNext = i + 1 < words.size() && unitSeconds(words[i + 1]) > 0;
        auto number = readNumber(std::span(words).subspan(i), unitNext ? Homophones::Yes : Homophones::No);
        if (!number && (words[i] == "a" || words[i] == "an" || words[i] == "another") && unitNext) {
            number = SpokenNumber{1, 1};
        }
        if (!number) {
            continue;
        }
        std::size_t at = i + number->length;
        while (
            at < words.size() && (words[at] == "an" || words[at] == "a" || words[at] == "of" || words[at] == "more")) {
            ++at;
        }
        if (at >= words.size() || unitSeconds(words[at]) == 0 || number->value < 0) {
            i += number->length - 1;
            continue;
        }
        double value = number->value;
        if (startsWithPhrase(std::span(words).subspan(at + 1), "and a half")) {
            value += 0.5;
            seconds += value * unitSeconds(words[at]);
            i = at + 3;
        } else {
            seconds += value * unitSeconds(words[at]);
            i = at;
        }
        any = true;
    }
    if (!any || seconds > 1e9) {
        return any ? std::optional(Milliseconds::max()) : std::nullopt;
    }
    return Milliseconds{std::llround(seconds * 1000)};
}

std::string timespanWords(Milliseconds span)
{
    const std::int64_t seconds = (span.count() + 500) / 1000;
    std::vector<std::string> parts;
    const auto add = [&](std::int64_t count, const char* unit) {
        if (count > 0) {
            parts.push_back(numberWords(count) + " " + unit + (count == 1 ? "" : "s"));
        }
    };
    add(seconds / 3600, "hour");
    add(seconds / 60 % 60, "minute");
    add(seconds % 60, "second");
    return parts.empty() ? "no time" : listed(parts);
}

class TimerSkill final : public Skill {
public:
    [[nodiscard]] bool hasSideEffects() const override { return true; }

    [[nodiscard]] double matches(const Utterance& utterance) const override
    {
        const Words& words = utterance.words;
        const bool isAboutTimers = containsAny(words, {"timer", "timers", "countdown"});
        if (isAboutTimers
            && containsAny(words,
                {"set", "start", "cancel", "stop", "delete", "clear", "list", "left", "running", "make", "what",
                    "how"})) {
            return kFullMatch;
        }
        if ((containsPhrase(words, "remind me in") || containsPhrase(words, "wake me in")) && readTimespan(words)) {
            return kFullMatch;
        }
        if (containsAny(words, {"how much time is left", "how much time left", "how much longer"})) {
            return kGoodMatch;
        }
        return isAboutTimers ? (readTimespan(words) ? kGoodMatch : kWeakMatch) : kNoMatch;
    }

    [[nodiscard]] std::string answer(const Utterance& utterance, SkillContext& context) const override
    {
        const Words& words = utterance.words;
        if (containsAny(words, {"cancel", "stop", "delete", "clear"})) {
            return cancel(context);
        }
        forgetDue(context);
        if (containsAny(words, {"left", "list", "running", "longer", "timers"})) {
            return list(context);
        }
        const auto span = readTimespan(words);
        if (!span) {
            return "For how long? You can say: set a timer for five minutes.";
        }
        if (*span <= Milliseconds{0}) {
            return "A timer needs at least one second.";
        }
        if (*span > kLongest) {
            return "I can keep timers up to twenty four hours.";
        }
        if (context.timers.size() >= kMostTimers) {
            return "There are already " + numberWords(static_cast<std::int64_t>(kMostTimers))
                + " timers running. Cancel them first.";
        }
        const std::uint64_t id = ++context.lastReminder;
        context.timers.push_back({id, context.clock.now() + *span, *span});
        context.reminders.made.push_back({id, *span, "Your timer for " + timespanWords(*span) + " is up."});
        return "I set a timer for " + timespanWords(*span) + ".";
    }

private:
    static void forgetDue(SkillContext& context)
    {
        std::erase_if(context.timers, [&](const RunningTimer& timer) { return timer.due <= context.clock.now(); });
    }

    static std::string cancel(SkillContext& context)
    {
        // Also of those that are up: their announcement may still wait until nobody speaks.
        for (const RunningTimer& timer : context.timers) {
            context.reminders.withdrawn.push_back(timer.reminder);
        }
        // What was asked for but not yet taken must not be said either.
        context.reminders.made.clear();
        forgetDue(context);
        const std::size_t count = context.timers.size();
        context.timers.clear();
        return count == 0 ? "There is no timer running."
            : count == 1  ? "I cancelled the timer."
                          : "I cancelled " + numberWords(static_cast<std::int64_t>(count)) + " timers.";
    }

    static std::string list(const SkillContext& context)
    {
        if (context.timers.empty()) {
            return "There is no timer running.";
        }
        std::vector<std::string> parts;
        for (const RunningTimer& timer : context.timers) {
            parts.push_back(timespanWords(std::chrono::duration_cast<Milliseconds>(timer.due - context.clock.now()))
                + " on the timer for " + timespanWords(timer.length));
        }
        return "There are " + listed(parts) + ".";
    }
};

} // namespace

std::unique_ptr<Skill> makeTimerSkill()
{
    return std::make_unique<TimerSkill>();
}

} // namespace vivavoce::agent::skills
