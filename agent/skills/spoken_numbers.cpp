#include "agent/skills/spoken_numbers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

namespace vivavoce::agent::skills {

namespace {

constexpr std::array<std::string_view, 20> kOnes{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight",
    "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen"};
constexpr std::array<std::string_view, 10> kTens{
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
constexpr std::array<std::pair<std::string_view, double>, 4> kScales{
    {{"thousand", 1e3}, {"million", 1e6}, {"billion", 1e9}, {"trillion", 1e12}}};

std::optional<double> unitOf(std::string_view word, Homophones homophones)
{
    const auto* one = std::find(kOnes.begin(), kOnes.end(), word);
    if (one != kOnes.end()) {
        return static_cast<double>(one - kOnes.begin());
    }
    if (word == "oh" && homophones == Homophones::Yes) {
        return 0;
    }
    static constexpr std::array<std::pair<std::string_view, double>, 6> kSound{
        {{"won", 1}, {"to", 2}, {"too", 2}, {"for", 4}, {"fore", 4}, {"ate", 8}}};
    if (homophones == Homophones::Yes) {
        for (const auto& [sound, value] : kSound) {
            if (word == sound) {
                return value;
            }
        }
    }
    return std::nullopt;
}

std::optional<double> tensOf(std::string_view word)
{
    const auto* tens = std::find(kTens.begin() + 2, kTens.end(), word);
    return tens == kTens.end() ? std::nullopt : std::optional<double>(10.0 * static_cast<double>(tens - kTens.begin()));
}

std::optional<double> scaleOf(std::string_view word)
{
    for (const auto& [name, value] : kScales) {
        if (word == name) {
            return value;
        }
    }
    return std::nullopt;
}

std::optional<double> figuresOf(std::string_view word)
{
    double value = 0;
    const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), value, std::chars_format::fixed);
    const bool isPlain = !word.empty() && (word.front() == '-' || (word.front() >= '0' && word.front() <= '9'));
    return isPlain && fault == std::errc{} && end == word.data() + word.size() ? std::optional(value) : std::nullopt;
}

/// Reads below one thousand: "two hundred and five", "twenty one", "seventeen".
std::optional<SpokenNumber> readBelowThousand(std::span<const std::string> words, Homophones homophones)
{
    SpokenNumber result;
    const auto word = [&](std::size_t at) {
        return at < words.size() ? std::string_view(words[at]) : std::string_view{};
    };
    const auto readBelowHundred = [&](std::size_t at) -> std::optional<SpokenNumber> {
        if (const auto figures = figuresOf(word(at))) {
            return SpokenNumber{*figures, 1};
        }
        if (const auto tens = tensOf(word(at))) {
            // "twenty to" is rather a preposition than twenty two.
            const auto ones = unitOf(word(at + 1), Homophones::No);
            return ones && *ones >= 1 && *ones <= 9 ? SpokenNumber{*tens + *ones, 2} : SpokenNumber{*tens, 1};
        }
        const auto ones = unitOf(word(at), homophones);
        return ones ? std::optional(SpokenNumber{*ones, 1}) : std::nullopt;
    };
    auto first = readBelowHundred(0);
    if (!first && word(0) == "a" && (word(1) == "hundred" || scaleOf(word(1)))) {
        first = SpokenNumber{1, 1};
    }
    if (!first && word(0) == "hundred") {
        first = SpokenNumber{1, 0};
    }
    if (!first) {
        return std::nullopt;
    }
    result = *first;
    if (word(result.length) != "hundred") {
        return result;
    }
    result.value *= 100;
    ++result.length;
    const std::size_t tail = result.length + (word(result.length) == "and" ? 1 : 0);
    if (const auto rest = tail < words.size() && !figuresOf(word(tail)) ? readBelowHundred(tail) : std::nullopt) {
        // "a hundred to …" and "a hundred for …" are prepositions.
        if (unitOf(word(tail), Homophones::No) || tensOf(word(tail))) {
            result.value += rest->value;
            result.length = tail + rest->length;
        }
    }
    return result;
}

std::string belowThousandWords(std::int64_t value)
{
    std::string text;
    if (value >= 100) {
        text = std::string(kOnes[static_cast<std::size_t>(value / 100)]) + " hundred";
        value %= 100;
        if (value == 0) {
            return text;
        }
        text += " and ";
    }
    if (value < 20) {
        return text + std::string(kOnes[static_cast<std::size_t>(value)]);
    }
    text += kTens[static_cast<std::size_t>(value / 10)];
    return value % 10 == 0 ? text : text + " " + std::string(kOnes[static_cast<std::size_t>(value % 10)]);
}

/// Reads what follows "point": single digits.
double readDecimals(std::span<const std::string> words, std::size_t& at)
{
    double place = 0.1;
    double value = 0;
    for (; at < words.size(); ++at, place /= 10) {
        const auto digit = unitOf(words[at], words[at] == "oh" ? Homophones::Yes : Homophones::No);
        if (!digit || *digit > 9) {
            break;
        }
        value += *digit * place;
    }
    return value;
}

} // namespace

std::optional<SpokenNumber> readNumber(std::span<const std::string> words, Homophones homophones)
{
    if (words.empty()) {
        return std::nullopt;
    }
    if (words[0] == "minus" || words[0] == "negative") {
        auto number = readNumber(words.subspan(1), homophones);
        return number && number->value >= 0 ? std::optional(SpokenNumber{-number->value, number->length + 1})
                                            : std::nullopt;
    }
    const bool isHalf = words[0] == "half";
    if (isHalf || (words.size() > 1 && words[0] == "a" && (words[1] == "half" || words[1] == "quarter"))) {
        const std::size_t length = isHalf ? 1 : 2;
        return SpokenNumber{words[length - 1] == "quarter" ? 0.25 : 0.5, length};
    }
    double total = 0;
    std::size_t at = 0;
    double lastScale = 1e15;
    bool any = false;
    while (at < words.size()) {
        const std::size_t start = any && words[at] == "and" ? at + 1 : at;
        const auto part = readBelowThousand(words.subspan(start), any ? Homophones::No : homophones);
        if (!part || (any && (lastScale <= 1 || part->value >= 1000))) {
            break;
        }
        const auto scale = start + part->length < words.size() ? scaleOf(words[start + part->length]) : std::nullopt;
        if (any && scale.value_or(1) >= lastScale) {
            break;
        }
        total += part->value * scale.value_or(1);
        at = start + part->length + (scale ? 1 : 0);
        lastScale = scale.value_or(1);
        any = true;
        if (!scale) {
            break;
        }
    }
    if (!any && words[0] != "point") {
        return std::nullopt;
    }
    if (at + 1 < words.size() && words[at] == "point") {
        std::size_t after = at + 1;
        const double decimals = readDecimals(words, after);
        if (after > at + 1) {
            // Rounded so that 0.1 + 0.02 reads as 0.12 and not as its neighbour.
            return SpokenNumber{std::round((total + decimals) * 1e9) / 1e9, after};
        }
    }
    if (!any) {
        return std::nullopt;
    }
    if (containsPhrase(words.subspan(at, std::min<std::size_t>(3, words.size() - at)), "and a half")
        && words[at] == "and") {
        return SpokenNumber{total + 0.5, at + 3};
    }
    return SpokenNumber{total, at};
}

std::optional<SpokenNumber> findNumber(std::span<const std::string> words, std::size_t& at)
{
    for (at = 0; at < words.size(); ++at) {
        if (const auto number = readNumber(words.subspan(at))) {
            return number;
        }
    }
    return std::nullopt;
}

std::string numberWords(std::int64_t value)
{
    if (value < 0) {
        // The lowest value has no positive twin; it is far beyond what is said anyway.
        return "minus " + numberWords(value == INT64_MIN ? INT64_MAX : -value);
    }
    if (value < 1000) {
        return belowThousandWords(value);
    }
    static constexpr std::array<std::pair<std::int64_t, std::string_view>, 6> kGroups{
        {{1'000'000'000'000'000'000, "quintillion"}, {1'000'000'000'000'000, "quadrillion"},
            {1'000'000'000'000, "trillion"}, {1'000'000'000, "billion"}, {1'000'000, "million"}, {1000, "thousand"}}};
    std::string text;
    for (const auto& [size, name] : kGroups) {
        if (value >= size) {
            text += (text.empty() ? "" : " ") + belowThousandWords(value / size) + " " + std::string(name);
            value %= size;
        }
    }
    if (value == 0) {
        return text;
    }
    return text + (value < 100 ? " and " : " ") + belowThousandWords(value);
}

std::string numberWords(double value, int decimals)
{
    if (!std::isfinite(value)) {
        return "a number too large to say";
    }
    if (std::abs(value) >= 1e15) {
        const int exponent = static_cast<int>(std::floor(std::log10(std::abs(value))));
        return "about " + numberWords(value / std::pow(10.0, exponent), 2) + " times ten to the power of "
            + numberWords(static_cast<std::int64_t>(exponent));
    }
    // Small results keep significant places: 0.000123 must not become "zero".
    if (value != 0 && std::abs(value) < 0.01) {
        decimals = std::min(12, decimals + static_cast<int>(-std::floor(std::log10(std::abs(value)))));
    }
    std::array<char, 64> buffer{};
    const auto [end, fault] = std::to_chars(
        buffer.data(), buffer.data() + buffer.size(), std::abs(value), std::chars_format::fixed, decimals);
    std::string figures(buffer.data(), fault == std::errc{} ? end : buffer.data());
    const auto point = figures.find('.');
    std::string places = point == std::string::npos ? "" : figures.substr(point + 1);
    while (!places.empty() && places.back() == '0') {
        places.pop_back();
    }
    std::int64_t whole = 0;
    std::from_chars(figures.data(), figures.data() + std::min(point, figures.size()), whole);
    std::string text = value < 0 && (whole != 0 || !places.empty()) ? "minus " : "";
    text += numberWords(whole);
    if (!places.empty()) {
        text += " point";
        for (const char digit : places) {
            text += " " + std::string(kOnes[static_cast<std::size_t>(digit - '0')]);
        }
    }
    return text;
}

std::string ordinalWords(int value)
{
    static constexpr std::array<std::string_view, 20> kOrdinals{"", "first", "second", "third", "fourth", "fifth",
        "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth",
        "sixteenth", "seventeenth", "eighteenth", "nineteenth"};
    if (value < 1 || value > 99) {
        return numberWords(static_cast<std::int64_t>(value));
    }
    if (value < 20) {
        return std::string(kOrdinals[static_cast<std::size_t>(value)]);
    }
    const std::string tens(kTens[static_cast<std::size_t>(value / 10)]);
    return value % 10 == 0 ? tens.substr(0, tens.size() - 1) + "ieth"
                           : tens + " " + std::string(kOrdinals[static_cast<std::size_t>(value % 10)]);
}

std::string yearWords(int year)
{
    if (year < 1000 || year > 9999 || (year >= 2000 && year < 2010) || year % 1000 == 0) {
        return numberWords(static_cast<std::int64_t>(year));
    }
    const std::string century = numberWords(static_cast<std::int64_t>(year / 100));
    const int rest = year % 100;
    if (rest == 0) {
        return century + " hundred";
    }
    return century + (rest < 10 ? " oh " : " ") + numberWords(static_cast<std::int64_t>(rest));
}

} // namespace vivavoce::agent::skills
