#include "agent/skills/skill.h"
#include "agent/skills/spoken_numbers.h"

#include <array>
#include <ctime>

namespace vivavoce::agent::skills {

namespace {

std::tm localTime(core::WallTime time)
{
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm local{};
#ifdef _WIN32
    localtime_s(&local, &seconds);
#else
    localtime_r(&seconds, &local);
#endif
    return local;
}

class TimeSkill final : public Skill {
public:
    [[nodiscard]] double matches(const Utterance& utterance) const override
    {
        const Words& words = utterance.words;
        // "What time is it in Tokyo" asks for something that no clock here knows.
        if (containsPhrase(words, "in") || containsAny(words, {"timer", "time left"})) {
            return kNoMatch;
        }
        if (containsAny(words,
                {"what time is it", "what is the time", "tell me the time", "have the time", "what time it is",
                    "current time"})) {
            return kFullMatch;
        }
        return words == Words{"time"} || containsPhrase(words, "what time") ? kWeakMatch : kNoMatch;
    }

    [[nodiscard]] std::string answer(const Utterance&, SkillContext& context) const override
    {
        const std::tm now = localTime(context.clock.wallNow());
        const int hour = now.tm_hour % 12 == 0 ? 12 : now.tm_hour % 12;
        std::string text = "It is " + numberWords(static_cast<std::int64_t>(hour));
        if (now.tm_min == 0) {
            text += " o'clock";
        } else {
            text += (now.tm_min < 10 ? " oh " : " ") + numberWords(static_cast<std::int64_t>(now.tm_min));
        }
        return text
            + (now.tm_hour < 12        ? " in the morning."
                    : now.tm_hour < 18 ? " in the afternoon."
                                       : " in the evening.");
    }
};

class DateSkill final : public Skill {
public:
    [[nodiscard]] double matches(const Utterance& utterance) const override
    {
        const Words& words = utterance.words;
        if (containsAny(words,
                {"what is the date", "what day is it", "what day is today", "what is today", "today's date",
                    "day of the week", "what date is it", "what year is it", "what month is it", "what day is tomorrow",
                    "what day was yesterday", "what is tomorrow", "what date is tomorrow", "date today",
                    "the date tomorrow", "what day of the week", "tell me the date"})) {
            return kFullMatch;
        }
        return words == Words{"date"} ? kWeakMatch : kNoMatch;
    }

    [[nodiscard]] std::string answer(const Utterance& utterance, SkillContext& context) const override
    {
        static constexpr std::array<const char*, 7> kDays{
            "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
        static constexpr std::array<const char*, 12> kMonths{"January", "February", "March", "April", "May", "June",
            "July", "August", "September", "October", "November", "December"};
        const int days = containsPhrase(utterance.words, "tomorrow") ? 1
            : containsPhrase(utterance.words, "yesterday")           ? -1
                                                                     : 0;
        std::tm day = localTime(context.clock.wallNow());
        // Noon keeps the day right across a change to or from summer time.
        day.tm_hour = 12;
        day.tm_mday += days;
        day.tm_isdst = -1;
        std::mktime(&day);
        const char* month = kMonths[static_cast<std::size_t>(day.tm_mon)];
        if (containsPhrase(utterance.words, "what year")) {
            return "It is " + yearWords(day.tm_year + 1900) + ".";
        }
        if (containsPhrase(utterance.words, "what month")) {
            return std::string("It is ") + month + ".";
        }
        const char* subject = days > 0 ? "Tomorrow is " : days < 0 ? "Yesterday was " : "Today is ";
        return std::string(subject) + kDays[static_cast<std::size_t>(day.tm_wday)] + ", " + month + " "
            + ordinalWords(day.tm_mday) + ", " + yearWords(day.tm_year + 1900) + ".";
    }
};

} // namespace

std::unique_ptr<Skill> makeTimeSkill()
{
    return std::make_unique<TimeSkill>();
}

std::unique_ptr<Skill> makeDateSkill()
{
    return std::make_unique<DateSkill>();
}

} // namespace vivavoce::agent::skills
