#include "agent/skills/speakable.h"

#include "agent/skills/spoken_numbers.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <regex>
#include <utility>

namespace vivavoce::agent::skills {

namespace {

using core::Json;
constexpr std::size_t kLongest = 600;
constexpr std::size_t kMostElements = 5;

int numberIn(const std::csub_match& match)
{
    int value = 0;
    std::from_chars(match.first, match.second, value);
    return value;
}

std::string dateWords(int year, int month, int day)
{
    static constexpr std::array<const char*, 12> kMonths{"January", "February", "March", "April", "May", "June", "July",
        "August", "September", "October", "November", "December"};
    return std::string(kMonths[static_cast<std::size_t>(month - 1)]) + " " + ordinalWords(day) + ", " + yearWords(year);
}

/// One piece of figures that `expression` found, in words.
std::string figureWords(const std::cmatch& found)
{
    if (found[1].matched) {
        const int month = numberIn(found[2]);
        const int day = numberIn(found[3]);
        if (month >= 1 && month <= 12 && day >= 1 && day <= 31) {
            return dateWords(numberIn(found[1]), month, day);
        }
        return found.str();
    }
    if (found[4].matched) {
        const int minute = numberIn(found[5]);
        const std::string hour = numberWords(static_cast<std::int64_t>(numberIn(found[4])));
        return minute == 0 ? hour + " o'clock"
                           : hour + (minute < 10 ? " oh " : " ") + numberWords(static_cast<std::int64_t>(minute));
    }
    double value = 0;
    const std::string figures = found[6].str();
    std::from_chars(figures.data(), figures.data() + figures.size(), value);
    return numberWords(value);
}

bool isWordByte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void replaceAll(std::string& text, std::string_view from, std::string_view to)
{
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

/// A key as it is said: "windSpeed" → "wind speed".
std::string keyWords(const std::string& key)
{
    return joinWords(splitIdentifier(key));
}

std::string flattened(const Json& value, int depth);

std::string flattenedObject(const Json& object, int depth)
{
    std::vector<std::string> parts;
    for (const auto& [key, value] : object.items()) {
        if (value.is_null() || parts.size() >= 12) {
            continue;
        }
        if (value.is_boolean() && (key == "ok" || key == "success")) {
            continue;
        }
        const std::string said = flattened(value, depth + 1);
        if (!said.empty()) {
            parts.push_back((key == "result" || key == "message" || key == "text" || key == "answer"
                                    ? ""
                                    : keyWords(key) + (value.is_object() ? ": " : " is "))
                + said);
        }
    }
    return listed(parts);
}

std::string flattened(const Json& value, int depth)
{
    if (value.is_string()) {
        return value.get<std::string>();
    }
    if (value.is_boolean()) {
        return value.get<bool>() ? "yes" : "no";
    }
    if (value.is_number()) {
        return value.is_number_integer() ? value.dump() : numberWords(value.get<double>(), 2);
    }
    if (value.is_object() && depth < 4) {
        return flattenedObject(value, depth);
    }
    if (!value.is_array() || depth >= 4) {
        return {};
    }
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < value.size() && i < kMostElements; ++i) {
        parts.push_back(flattened(value[i], depth + 1));
    }
    if (value.size() > kMostElements) {
        parts.push_back(std::to_string(value.size() - kMostElements) + " more");
    }
    return parts.empty() ? "none" : listed(parts);
}

/// "tool.failed", "rate_limited": for programs, and no words.
bool isCode(const std::string& text)
{
    return text.find(' ') == std::string::npos && text.find_first_of("._") < text.size() - 1;
}

std::string errorText(const Json& object)
{
    const auto error = object.find("error");
    const bool failed =
        (object.contains("success") && object["success"] == false) || (object.contains("ok") && object["ok"] == false);
    if ((error == object.end() || error->is_null() || *error == false) && !failed) {
        return {};
    }
    std::string reason;
    if (error != object.end()) {
        reason = error->is_object() && error->contains("message") ? flattened((*error)["message"], 1)
            : error->is_string()                                  ? error->get<std::string>()
                                                                  : "";
    }
    if (reason.empty() && object.contains("message")) {
        reason = flattened(object["message"], 1);
    }
    return reason.empty() || isCode(reason) ? "That did not work." : "That did not work: " + reason;
}

std::string asSentence(std::string text)
{
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) {
        text.pop_back();
    }
    if (text.size() > kLongest) {
        text.resize(kLongest);
        text.resize(std::min(text.size(), text.find_last_of(' ')));
        text += ", and so on";
    }
    if (text.empty()) {
        return "Done.";
    }
    if (text.back() != '.' && text.back() != '!' && text.back() != '?') {
        text += '.';
    }
    return text;
}

} // namespace

std::string speakable(std::string_view text)
{
    std::string clean;
    for (const char c : text) {
        if (c == '\n' || c == '\t' || c == '\r') {
            clean += ' ';
        } else if (c != '*' && c != '`' && c != '#' && c != '_' && c != '|') {
            clean += c;
        } else if (c == '_') {
            clean += ' ';
        }
    }
    replaceAll(clean,
        "\xC2\xB0"
        "C",
        " degrees Celsius");
    replaceAll(clean,
        "\xC2\xB0"
        "F",
        " degrees Fahrenheit");
    replaceAll(clean, "\xC2\xB0", " degrees");
    replaceAll(clean, "%", " percent");
    replaceAll(clean, "km/h", "kilometers per hour");
    replaceAll(clean, " & ", " and ");
    static const std::regex kFigures(R"((\d{4})-(\d{2})-(\d{2})|(\d{1,2}):(\d{2})(?!\d)|(-?\d{1,15}(?:\.\d{1,6})?))");
    std::string said;
    const char* at = clean.c_str();
    const char* end = at + clean.size();
    for (std::cmatch found; std::regex_search(at, end, found, kFigures); at = found[0].second) {
        said.append(at, found[0].first);
        // Figures inside a word ("B2B", "v1") are a name.
        const bool isInWord = (found[0].first != clean.c_str() && isWordByte(found[0].first[-1]))
            || (found[0].second != end && isWordByte(*found[0].second));
        said += isInWord ? found.str() : figureWords(found);
    }
    said.append(at, end);
    return said;
}

std::string speakableOutput(std::string_view output)
{
    const auto json = core::parseJson(output);
    if (!json) {
        return withCapital(speakable(asSentence(std::string(output))));
    }
    if (json->is_object()) {
        if (std::string error = errorText(*json); !error.empty()) {
            return withCapital(speakable(asSentence(std::move(error))));
        }
    }
    return withCapital(speakable(asSentence(json->is_null() ? std::string() : flattened(*json, 0))));
}

} // namespace vivavoce::agent::skills
