#include "agent/skills/argument_filler.h"

#include "agent/skills/tool_matcher.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

namespace vivavoce::agent::skills {

using core::Json;
using Type = ToolParameter::Type;

namespace {

bool isPreposition(std::string_view word)
{
    static constexpr std::array<std::string_view, 16> kPrepositions{"in", "to", "for", "at", "from", "with", "on", "by",
        "about", "saying", "says", "named", "called", "titled", "into", "near"};
    return std::find(kPrepositions.begin(), kPrepositions.end(), word) != kPrepositions.end();
}

} // namespace

std::vector<std::string_view> ArgumentFiller::leadsOf(const ToolParameter& parameter)
{
    const auto named = [&](std::initializer_list<std::string_view> names) {
        return std::any_of(parameter.nameWords.begin(), parameter.nameWords.end(),
            [&](const std::string& word) { return std::find(names.begin(), names.end(), word) != names.end(); });
    };
    if (named({"origin", "from", "source", "departure", "start"})) {
        return {"from"};
    }
    if (named({"destination", "arrival", "target", "to"})) {
        return {"to", "for"};
    }
    if (named({"recipient", "contact", "receiver", "person", "addressee"})) {
        return {"to", "call", "email", "text", "message", "with", "for"};
    }
    if (named({"city", "location", "place", "country", "region", "address", "town"})) {
        return {"in", "at", "near", "for", "to", "from"};
    }
    if (named({"message", "text", "body", "content", "note"})) {
        return {"saying", "says", "that", "message", "text", "note"};
    }
    if (named({"title", "name", "label"})) {
        return {"called", "named", "titled", "for", "about"};
    }
    if (named({"date", "day", "when", "time"})) {
        return {"on", "at", "for"};
    }
    if (named({"query", "search", "term", "keyword", "topic", "subject", "question"})) {
        return {"for", "about", "on"};
    }
    return {};
}

bool ArgumentFiller::isOpenText(const ToolParameter& parameter) const
{
    return std::any_of(parameter.nameWords.begin(), parameter.nameWords.end(), [](const std::string& word) {
        return word == "message" || word == "text" || word == "body" || word == "content" || word == "note"
            || word == "query" || word == "question";
    });
}

std::optional<Json> ArgumentFiller::take(std::size_t start, bool isOpen)
{
    while (start < m_words.size() && !isOpen
        && (m_words[start] == "the" || m_words[start] == "a" || m_words[start] == "an" || m_words[start] == "my")) {
        ++start;
    }
    std::size_t end = start;
    while (
        end < m_words.size() && !m_used[end] && (isOpen || (!isPreposition(m_words[end]) && !isTimeWord(end, start)))) {
        ++end;
    }
    const auto value = std::span(m_words).subspan(std::min(start, m_words.size()), end - std::min(start, end));
    const bool isEmpty =
        std::all_of(value.begin(), value.end(), [&](const std::string& word) { return isFiller(word) && !isOpen; });
    if (value.empty() || isEmpty) {
        return std::nullopt;
    }
    use(start, end - start);
    return Json(asSaid(joinWords(value)));
}

bool ArgumentFiller::isTimeWord(std::size_t at, std::size_t start) const
{
    static constexpr std::array<std::string_view, 6> kTimes{
        "today", "tomorrow", "tonight", "now", "please", "yesterday"};
    return at > start && std::find(kTimes.begin(), kTimes.end(), m_words[at]) != kTimes.end();
}

std::string ArgumentFiller::asSaid(const std::string& value) const
{
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    const auto found = std::search(m_text.begin(), m_text.end(), value.begin(), value.end(), same);
    return found == m_text.end() ? value : std::string(found, found + static_cast<std::ptrdiff_t>(value.size()));
}

std::optional<Json> ArgumentFiller::readString(
    const ToolParameter& parameter, const std::vector<ToolParameter>& siblings)
{
    const bool isOpen = isOpenText(parameter);
    for (const std::string& name : parameter.nameWords) {
        // "with the title groceries": the argument's own name, unless that is what the function is about.
        for (std::size_t i = 0; i + 1 < m_words.size(); ++i) {
            if (!m_used[i] && !m_nameWord[i] && !isFiller(name) && meansSame(name, m_words[i])
                && !isPreposition(m_words[i + 1])) {
                if (auto value = take(i + (m_words[i + 1] == "is" ? 2 : 1), isOpen)) {
                    use(i, 1);
                    return value;
                }
            }
        }
    }
    const bool isDay = std::any_of(parameter.nameWords.begin(), parameter.nameWords.end(),
        [](const std::string& word) { return word == "date" || word == "day" || word == "when" || word == "time"; });
    if (isDay) {
        if (auto value = readDay()) {
            return value;
        }
    }
    for (const std::string_view lead : leadsOf(parameter)) {
        for (std::size_t i = 0; i + 1 < m_words.size(); ++i) {
            if (m_words[i] == lead && !m_used[i]) {
                if (auto value = take(i + 1, isOpen)) {
                    use(i, 1);
                    return value;
                }
            }
        }
    }
    const auto strings = std::count_if(siblings.begin(), siblings.end(), [](const ToolParameter& other) {
        return other.type == Type::String && other.choices.empty() && other.isRequired;
    });
    return parameter.isRequired && strings == 1 && !isDay ? readRest() : std::nullopt;
}

std::optional<Json> ArgumentFiller::readDay()
{
    static constexpr std::array<std::string_view, 10> kDays{"today", "tomorrow", "tonight", "yesterday", "monday",
        "tuesday", "wednesday", "thursday", "friday", "saturday"};
    for (std::size_t i = 0; i < m_words.size(); ++i) {
        if (!m_used[i]
            && (m_words[i] == "sunday" || std::find(kDays.begin(), kDays.end(), m_words[i]) != kDays.end())) {
            use(i, 1);
            return Json(asSaid(m_words[i]));
        }
    }
    return std::nullopt;
}

std::optional<Json> ArgumentFiller::readRest()
{
    std::size_t end = m_words.size();
    const auto isFree = [&](std::size_t i) { return !m_used[i] && !m_nameWord[i]; };
    while (end > 0 && (!isFree(end - 1) || isFiller(m_words[end - 1]))) {
        --end;
    }
    std::size_t start = end;
    while (start > 0 && isFree(start - 1)) {
        --start;
    }
    while (
        start < end && (isFiller(m_words[start]) || isPreposition(m_words[start]) || isCommandVerb(m_words[start]))) {
        ++start;
    }
    if (start >= end) {
        return std::nullopt;
    }
    use(start, end - start);
    return Json(asSaid(joinWords(std::span(m_words).subspan(start, end - start))));
}

bool ArgumentFiller::isCommandVerb(std::string_view word)
{
    static constexpr std::array<std::string_view, 16> kVerbs{"get", "set", "show", "find", "tell", "give", "look", "up",
        "check", "turn", "make", "put", "add", "search", "go", "let"};
    return std::find(kVerbs.begin(), kVerbs.end(), word) != kVerbs.end();
}

std::optional<Json> ArgumentFiller::readList(const ToolParameter& parameter)
{
    Json list = Json::array();
    if (isNumeric(parameter.elementType)) {
        for (std::size_t i = 0; i < m_words.size(); ++i) {
            if (const auto number = m_used[i] ? std::nullopt : readNumber(std::span(m_words).subspan(i))) {
                use(i, number->length);
                const bool isWhole = number->value == std::floor(number->value) && std::abs(number->value) < 9e15;
                list.push_back(isWhole ? Json(static_cast<std::int64_t>(number->value)) : Json(number->value));
                i += number->length - 1;
            }
        }
    } else if (parameter.elementType == Type::String) {
        if (const auto text = readRest()) {
            const std::string whole = text->get<std::string>();
            for (std::size_t start = 0; start <= whole.size();) {
                const std::size_t end = std::min(whole.find(" and ", start), whole.size());
                list.push_back(whole.substr(start, end - start));
                start = end + 5;
            }
        }
    }
    return list.empty() ? std::nullopt : std::optional(list);
}

} // namespace vivavoce::agent::skills
