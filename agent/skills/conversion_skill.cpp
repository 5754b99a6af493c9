#include "agent/skills/skill.h"
#include "agent/skills/spoken_numbers.h"

#include <array>
#include <cmath>
#include <optional>
#include <string_view>

namespace vivavoce::agent::skills {

namespace {

enum class Quantity { Length, Mass, Volume, Speed, Time, Temperature };

/// value in base units = value * factor + offset. Base units: metre, kilogram, litre, metre per second, second, kelvin.
struct Unit {
    /// Singular, plural and other names, parted by '|'.
    std::string_view names;
    Quantity quantity;
    double factor;
    double offset = 0;
};

// Factors that are exact by definition (international yard and pound, US liquid gallon) are given in full.
constexpr std::array<Unit, 39> kUnits{{
    {"mile per hour|miles per hour|miles an hour|mph", Quantity::Speed, 0.44704},
    {"kilometer per hour|kilometers per hour|kilometers an hour|kilometres per hour|kph", Quantity::Speed, 1.0 / 3.6},
    {"meter per second|meters per second|metres per second", Quantity::Speed, 1},
    {"knot|knots", Quantity::Speed, 1852.0 / 3600.0},
    {"fluid ounce|fluid ounces", Quantity::Volume, 0.0295735295625},
    {"nautical mile|nautical miles", Quantity::Length, 1852},
    {"mile|miles", Quantity::Length, 1609.344},
    {"kilometer|kilometers|kilometre|kilometres|km", Quantity::Length, 1000},
    {"meter|meters|metre|metres|m", Quantity::Length, 1},
    {"centimeter|centimeters|centimetre|centimetres|cm", Quantity::Length, 0.01},
    {"millimeter|millimeters|millimetre|millimetres|mm", Quantity::Length, 0.001},
    {"foot|feet|ft", Quantity::Length, 0.3048},
    {"inch|inches", Quantity::Length, 0.0254},
    {"yard|yards", Quantity::Length, 0.9144},
    {"pound|pounds|lb|lbs", Quantity::Mass, 0.45359237},
    {"kilogram|kilograms|kilo|kilos|kg", Quantity::Mass, 1},
    {"gram|grams|g", Quantity::Mass, 0.001},
    {"milligram|milligrams|mg", Quantity::Mass, 0.000001},
    {"ounce|ounces|oz", Quantity::Mass, 0.028349523125},
    {"ton|tons", Quantity::Mass, 907.18474},
    {"metric ton|metric tons|tonne|tonnes", Quantity::Mass, 1000},
    {"stone|stones", Quantity::Mass, 6.35029318},
    {"liter|liters|litre|litres|l", Quantity::Volume, 1},
    {"milliliter|milliliters|millilitre|millilitres|ml", Quantity::Volume, 0.001},
    {"gallon|gallons", Quantity::Volume, 3.785411784},
    {"quart|quarts", Quantity::Volume, 0.946352946},
    {"pint|pints", Quantity::Volume, 0.473176473},
    {"cup|cups", Quantity::Volume, 0.2365882365},
    {"tablespoon|tablespoons", Quantity::Volume, 0.01478676478125},
    {"teaspoon|teaspoons", Quantity::Volume, 0.00492892159375},
    {"second|seconds", Quantity::Time, 1},
    {"minute|minutes", Quantity::Time, 60},
    {"hour|hours", Quantity::Time, 3600},
    {"day|days", Quantity::Time, 86400},
    {"week|weeks", Quantity::Time, 604800},
    {"year|years", Quantity::Time, 31536000},
    {"degree celsius|degrees celsius|celsius|centigrade|degrees centigrade|c", Quantity::Temperature, 1, 273.15},
    {"degree fahrenheit|degrees fahrenheit|fahrenheit|f", Quantity::Temperature, 5.0 / 9.0, 459.67 * 5.0 / 9.0},
    {"kelvin|kelvins", Quantity::Temperature, 1},
}};

struct UnitAt {
    const Unit* unit = nullptr;
    std::size_t at = 0;
    std::size_t length = 0;
};

std::string_view nameOf(const Unit& unit, bool isPlural)
{
    const auto bar = unit.names.find('|');
    if (!isPlural) {
        return unit.names.substr(0, bar);
    }
    const auto rest = unit.names.substr(bar + 1);
    return rest.substr(0, rest.find('|'));
}

/// The longest unit name that starts at `at`.
UnitAt unitAt(const Words& words, std::size_t at)
{
    UnitAt best;
    for (const Unit& unit : kUnits) {
        std::string_view names = unit.names;
        while (!names.empty()) {
            const auto bar = names.find('|');
            const std::string_view name = names.substr(0, bar);
            std::size_t length = 1;
            for (const char c : name) {
                length += c == ' ' ? 1 : 0;
            }
            if (length > best.length && startsWithPhrase(std::span(words).subspan(at), name)) {
                best = {&unit, at, length};
            }
            names = bar == std::string_view::npos ? std::string_view{} : names.substr(bar + 1);
        }
    }
    return best;
}

struct Question {
    const Unit* from = nullptr;
    const Unit* to = nullptr;
    double value = 1;
};

/// "convert five miles to kilometers", "how many feet are in a mile", "what is 20 degrees celsius in fahrenheit".
std::optional<Question> readQuestion(const Words& words)
{
    std::vector<UnitAt> units;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (const UnitAt found = unitAt(words, i); found.unit != nullptr) {
            units.push_back(found);
            i += found.length - 1;
        }
    }
    if (units.size() != 2 || units[0].unit->quantity != units[1].unit->quantity) {
        return std::nullopt;
    }
    const bool isReversed = containsAny(words, {"how many", "how much"});
    const UnitAt& from = units[isReversed ? 1 : 0];
    Question question{from.unit, units[isReversed ? 0 : 1].unit, 1};
    // The number stands before its unit; with "degrees" between at most.
    for (std::size_t start = 0; start < from.at; ++start) {
        const auto number = readNumber(
            std::span(words).subspan(start), start + 1 == from.at && start > 0 ? Homophones::Yes : Homophones::No);
        if (!number) {
            continue;
        }
        const std::size_t end = start + number->length;
        const bool isBeforeUnit = end == from.at
            || (end + 1 == from.at && (words[end] == "degrees" || words[end] == "a" || words[end] == "an"));
        if (isBeforeUnit) {
            question.value = number->value;
            return question;
        }
    }
    const bool hasMark = containsAny(words, {"convert", "how many", "how much", "what is"})
        || (from.at > 0 && (words[from.at - 1] == "a" || words[from.at - 1] == "an"));
    return hasMark && question.from->quantity != Quantity::Temperature ? std::optional(question) : std::nullopt;
}

class ConversionSkill final : public Skill {
public:
    [[nodiscard]] double matches(const Utterance& utterance) const override
    {
        const auto question = readQuestion(utterance.words);
        if (!question) {
            return kNoMatch;
        }
        return containsAny(utterance.words, {"convert", "how many", "how much", "in", "to", "into"}) ? kFullMatch
                                                                                                     : kNoMatch;
    }

    [[nodiscard]] std::string answer(const Utterance& utterance, SkillContext&) const override
    {
        const auto question = readQuestion(utterance.words);
        if (!question) {
            return "I did not get which units.";
        }
        const bool isTemperature = question->from->quantity == Quantity::Temperature;
        const double base = question->value * question->from->factor + question->from->offset;
        if (isTemperature && base < -1e-9) {
            return "That is below absolute zero.";
        }
        if (!isTemperature && question->value < 0) {
            return "That cannot be less than nothing.";
        }
        // Sixth decimals are noise of the arithmetic (20 degrees Celsius would be 67.99999…).
        const double result = std::round((base - question->to->offset) / question->to->factor * 1e6) / 1e6;
        const double shown = std::abs(result) < 0.01 ? result : std::round(result * 100) / 100;
        const bool isExact = std::abs(shown - result) < 1e-9;
        return withCapital(numberOf(question->value, *question->from) + (isPlural(question->value) ? " are " : " is ")
            + (isExact ? "" : "about ") + numberOf(shown, *question->to) + ".");
    }

private:
    static bool isPlural(double value) { return std::abs(value) != 1.0; }
    static std::string numberOf(double value, const Unit& unit)
    {
        return numberWords(value, 2) + " " + std::string(nameOf(unit, isPlural(value)));
    }
};

} // namespace

std::unique_ptr<Skill> makeConversionSkill()
{
    return std::make_unique<ConversionSkill>();
}

} // namespace vivavoce::agent::skills
