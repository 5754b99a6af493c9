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

bool isNumeric(Type type)
{
    return type == Type::Number || type == Type::Integer;
}

double timeUnit(std::string_view word)
{
    return word.starts_with("second") || word == "secs" ? 1
        : word.starts_with("minute") || word == "mins"  ? 60
        : word.starts_with("hour")                      ? 3600
                                                        : 0;
}

/// Fills parameters from words; each word is used for one argument at most.

ArgumentFiller::ArgumentFiller(const Utterance& utterance, const ToolSpec& tool)
    : m_text(utterance.text),
      m_words(utterance.words),
      m_tool(tool),
      m_used(m_words.size(), false),
      m_nameWord(m_words.size(), false)
{
}

FilledArguments ArgumentFiller::fill()
{
    FilledArguments result;
    Json arguments = Json::object();
    for (const auto pass : {Pass::Choices, Pass::Numbers, Pass::Booleans, Pass::Strings}) {
        if (pass == Pass::Strings) {
            useNameWords();
        }
        fillLevel(m_tool.parameters, arguments, pass);
    }
    finish(m_tool.parameters, arguments, {}, result, true);
    result.json = core::writeJson(arguments);
    result.complaint = m_complaint;
    return result;
}

void ArgumentFiller::use(std::size_t at, std::size_t count)
{
    for (std::size_t i = at; i < at + count && i < m_used.size(); ++i) {
        m_used[i] = true;
    }
}

void ArgumentFiller::useNameWords()
{
    for (std::size_t i = 0; i < m_words.size(); ++i) {
        for (const std::string& word : m_tool.nameWords) {
            m_nameWord[i] = m_nameWord[i] || (!isFiller(word) && meansSame(word, m_words[i]));
        }
    }
}

void ArgumentFiller::fillLevel(const std::vector<ToolParameter>& parameters, Json& object, Pass pass)
{
    for (const bool required : {true, false}) {
        for (const ToolParameter& parameter : parameters) {
            if (parameter.isRequired != required) {
                continue;
            }
            if (parameter.type == Type::Object) {
                Json child = object.contains(parameter.name) ? object[parameter.name] : Json::object();
                fillLevel(parameter.children, child, pass);
                if (!child.empty()) {
                    object[parameter.name] = std::move(child);
                }
            } else if (!object.contains(parameter.name)) {
                if (auto value = read(parameter, parameters, pass)) {
                    object[parameter.name] = std::move(*value);
                }
            }
        }
    }
}

std::optional<Json> ArgumentFiller::read(
    const ToolParameter& parameter, const std::vector<ToolParameter>& siblings, Pass pass)
{
    if (!parameter.choices.empty()) {
        return pass == Pass::Choices ? readChoice(parameter) : std::nullopt;
    }
    if (isNumeric(parameter.type)) {
        return pass == Pass::Numbers ? readNumeric(parameter, siblings) : std::nullopt;
    }
    if (parameter.type == Type::Boolean) {
        return pass == Pass::Booleans ? readBoolean(parameter) : std::nullopt;
    }
    if (pass != Pass::Strings) {
        return std::nullopt;
    }
    if (parameter.type == Type::Array) {
        return readList(parameter);
    }
    return readString(parameter, siblings);
}

std::optional<Json> ArgumentFiller::readChoice(const ToolParameter& parameter)
{
    Json found = Json::array();
    std::size_t bestLength = 0;
    std::size_t bestAt = 0;
    for (const auto& choice : parameter.choices) {
        const std::size_t at = findMeaning(m_words, choice.words);
        if (at == std::string::npos || m_used[at]) {
            continue;
        }
        if (parameter.type == Type::Array) {
            use(at, choice.words.size());
            found.push_back(Json::parse(choice.json));
        } else if (choice.words.size() > bestLength) {
            bestLength = choice.words.size();
            bestAt = at;
            found = Json::array({Json::parse(choice.json)});
        }
    }
    if (found.empty()) {
        // A constant is no choice at all: it was declared, not invented.
        return parameter.choices.size() == 1 && parameter.isRequired && parameter.type != Type::Array
            ? std::optional(Json::parse(parameter.choices[0].json))
            : std::nullopt;
    }
    use(bestAt, bestLength);
    return parameter.type == Type::Array ? found : found.front();
}

bool ArgumentFiller::namesParameter(const ToolParameter& parameter, std::string_view word) const
{
    return !isFiller(word)
        && std::any_of(parameter.nameWords.begin(), parameter.nameWords.end(),
            [&](const std::string& name) { return meansSame(name, word); });
}

double ArgumentFiller::unitOf(const ToolParameter& parameter)
{
    for (const Words* words : {&parameter.nameWords, &parameter.descriptionWords}) {
        for (const std::string& word : *words) {
            if (timeUnit(word) > 0) {
                return timeUnit(word);
            }
        }
    }
    return 0;
}

std::optional<Json> ArgumentFiller::readNumeric(
    const ToolParameter& parameter, const std::vector<ToolParameter>& siblings)
{
    struct Candidate {
        std::size_t at = 0;
        SpokenNumber number;
        bool isNamed = false;
    };
    std::optional<Candidate> best;
    std::size_t free = 0;
    for (std::size_t i = 0; i < m_words.size(); ++i) {
        const bool afterName = i > 0 && namesParameter(parameter, m_words[i - 1]);
        const bool afterPreposition =
            i > 0 && (m_words[i - 1] == "to" || m_words[i - 1] == "for" || m_words[i - 1] == "is");
        const auto number = m_used[i] ? std::nullopt
                                      : readNumber(std::span(m_words).subspan(i),
                                          afterName || afterPreposition ? homophonesAt(i) : Homophones::No);
        if (!number) {
            continue;
        }
        const std::size_t end = i + number->length;
        const bool beforeName = end < m_words.size() && namesParameter(parameter, m_words[end]);
        const bool beforeUnit = end < m_words.size() && unitOf(parameter) > 0 && timeUnit(m_words[end]) > 0;
        const bool toName = afterPreposition && i > 1 && namesParameter(parameter, m_words[i - 2]);
        const Candidate candidate{i, *number, afterName || beforeName || beforeUnit || toName};
        if (!best || (candidate.isNamed && !best->isNamed)) {
            best = candidate;
        }
        ++free;
        i = end - 1;
    }
    const auto others = std::count_if(siblings.begin(), siblings.end(),
        [&](const ToolParameter& other) { return &other != &parameter && isNumeric(other.type) && !other.isRequired; });
    // A number that nobody named goes to an optional argument only where no other could have been meant.
    if (!best || (!best->isNamed && !parameter.isRequired && (others > 0 || free != 1))) {
        return std::nullopt;
    }
    double value = best->number.value;
    std::size_t end = best->at + best->number.length;
    if (end < m_words.size() && timeUnit(m_words[end]) > 0 && unitOf(parameter) > 0) {
        value = value * timeUnit(m_words[end]) / unitOf(parameter);
        ++end;
    } else if (end < m_words.size()
        && (namesParameter(parameter, m_words[end]) || m_words[end] == "percent" || m_words[end] == "degrees")) {
        ++end;
    }
    use(best->at, end - best->at);
    return accept(parameter, value);
}

Homophones ArgumentFiller::homophonesAt(std::size_t at) const
{
    const bool isLast = at + 1 == m_words.size() || timeUnit(m_words[at + 1]) > 0 || m_words[at + 1] == "percent"
        || m_words[at + 1] == "degrees";
    return isLast ? Homophones::Yes : Homophones::No;
}

std::optional<Json> ArgumentFiller::accept(const ToolParameter& parameter, double value)
{
    const bool isWhole = value == std::floor(value) && std::abs(value) < 9e15;
    const bool isLow = parameter.minimum && value < *parameter.minimum;
    const bool isHigh = parameter.maximum && value > *parameter.maximum;
    const std::string name = joinWords(parameter.nameWords);
    if (isLow || isHigh) {
        m_complaint = "The " + name + " must be "
            + (parameter.minimum && parameter.maximum
                    ? "between " + numberWords(*parameter.minimum) + " and " + numberWords(*parameter.maximum)
                    : isLow ? "at least " + numberWords(*parameter.minimum)
                            : "at most " + numberWords(*parameter.maximum))
            + ".";
        return std::nullopt;
    }
    if (parameter.type == Type::Integer && !isWhole) {
        m_complaint = "The " + name + " must be a whole number.";
        return std::nullopt;
    }
    return isWhole ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

std::optional<Json> ArgumentFiller::readBoolean(const ToolParameter& parameter)
{
    static constexpr std::array<std::string_view, 10> kYes{
        "on", "yes", "true", "enable", "enabled", "activate", "with", "yeah", "yep", "sure"};
    static constexpr std::array<std::string_view, 9> kNo{
        "off", "no", "false", "disable", "disabled", "deactivate", "without", "not", "nope"};
    const auto isIn = [](const auto& list, const std::string& word) {
        return std::find(list.begin(), list.end(), word) != list.end();
    };
    for (std::size_t i = 0; i < m_words.size(); ++i) {
        if (m_used[i] || !namesParameter(parameter, m_words[i]) || timeUnit(m_words[i]) > 0) {
            continue;
        }
        for (std::size_t near = i >= 2 ? i - 2 : 0; near < std::min(i + 3, m_words.size()); ++near) {
            if (isIn(kNo, m_words[near])) {
                use(near, 1);
                use(i, 1);
                return Json(false);
            }
        }
        use(i, 1);
        return Json(true);
    }
    const bool isSwitch = parameter.isRequired || parameter.nameWords == Words{"on"}
        || parameter.nameWords == Words{"enabled"} || parameter.nameWords == Words{"state"}
        || parameter.nameWords == Words{"power"};
    for (std::size_t i = 0; isSwitch && i < m_words.size(); ++i) {
        const bool isNo = isIn(kNo, m_words[i]);
        if (!m_used[i] && (isNo || (isIn(kYes, m_words[i]) && m_words[i] != "with"))) {
            // "on the desk" is a place: the switch "on" stands after turn or at the end.
            const bool isPlace =
                m_words[i] == "on" && i + 1 < m_words.size() && !(i > 0 && meaningOf(m_words[i - 1]) == "turn");
            if (!isPlace) {
                use(i, 1);
                return Json(!isNo);
            }
        }
    }
    return std::nullopt;
}

void ArgumentFiller::finish(const std::vector<ToolParameter>& parameters, Json& object, const ParameterPath& path,
    FilledArguments& result, bool isNeeded)
{
    for (const ToolParameter& parameter : parameters) {
        ParameterPath here = path;
        here.push_back(parameter.name);
        if (parameter.type == Type::Object && !parameter.children.empty()) {
            const bool isChildNeeded = (isNeeded && parameter.isRequired) || object.contains(parameter.name);
            Json child = object.contains(parameter.name) ? object[parameter.name] : Json::object();
            finish(parameter.children, child, here, result, isChildNeeded);
            if (isChildNeeded) {
                object[parameter.name] = std::move(child);
            }
        } else if (isNeeded && parameter.isRequired && !object.contains(parameter.name)) {
            if (!parameter.defaultJson.empty() && m_complaint.empty()) {
                object[parameter.name] = Json::parse(parameter.defaultJson);
            } else {
                result.missing.push_back(std::move(here));
            }
        }
    }
}

} // namespace vivavoce::agent::skills
