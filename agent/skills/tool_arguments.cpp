#include "agent/skills/tool_arguments.h"

#include "agent/skills/spoken_numbers.h"
#include "agent/skills/tool_matcher.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <utility>

namespace vivavoce::agent::skills {

namespace {

using core::Json;
using Type = ToolParameter::Type;

bool isNumeric(Type type)
{
    return type == Type::Number || type == Type::Integer;
}

bool isPreposition(std::string_view word)
{
    static constexpr std::array<std::string_view, 16> kPrepositions{
        "in", "to", "for", "at", "from", "with", "on", "by", "about", "saying", "says", "named", "called", "titled", "into", "near"};
    return std::find(kPrepositions.begin(), kPrepositions.end(), word) != kPrepositions.end();
}

/// Seconds of a word for time, 0 for any other.
double timeUnit(std::string_view word)
{
    return word.starts_with("second") || word == "secs" ? 1
        : word.starts_with("minute") || word == "mins"  ? 60
        : word.starts_with("hour")                      ? 3600
                                                        : 0;
}

/// Fills parameters from words; each word is used for one argument at most.
class Filler {
public:
    Filler(const Utterance& utterance, const ToolSpec& tool) : m_text(utterance.text), m_words(utterance.words), m_tool(tool), m_used(m_words.size(), false) {}

    FilledArguments fill()
    {
        FilledArguments result;
        Json arguments = Json::object();
        // The narrow types first: what they do not take is left for the strings.
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

private:
    enum class Pass { Choices, Numbers, Booleans, Strings };

    void use(std::size_t at, std::size_t count)
    {
        for (std::size_t i = at; i < at + count && i < m_used.size(); ++i) {
            m_used[i] = true;
        }
    }

    /// Words that named the function say nothing about its arguments; articles around them neither.
    void useNameWords()
    {
        for (std::size_t i = 0; i < m_words.size(); ++i) {
            for (const std::string& word : m_tool.nameWords) {
                m_nameWord.resize(m_words.size(), false);
                m_nameWord[i] = m_nameWord[i] || (!isFiller(word) && meansSame(word, m_words[i]));
            }
        }
    }

    void fillLevel(const std::vector<ToolParameter>& parameters, Json& object, Pass pass)
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

    std::optional<Json> read(const ToolParameter& parameter, const std::vector<ToolParameter>& siblings, Pass pass)
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

    std::optional<Json> readChoice(const ToolParameter& parameter)
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
            return parameter.choices.size() == 1 && parameter.isRequired && parameter.type != Type::Array ? std::optional(Json::parse(parameter.choices[0].json)) : std::nullopt;
        }
        use(bestAt, bestLength);
        return parameter.type == Type::Array ? found : found.front();
    }

    bool namesParameter(const ToolParameter& parameter, std::string_view word) const
    {
        return !isFiller(word) && std::any_of(parameter.nameWords.begin(), parameter.nameWords.end(), [&](const std::string& name) { return meansSame(name, word); });
    }

    /// The unit of time that an argument is in, in seconds; 0 for none.
    static double unitOf(const ToolParameter& parameter)
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

    std::optional<Json> readNumeric(const ToolParameter& parameter, const std::vector<ToolParameter>& siblings)
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
            const bool afterPreposition = i > 0 && (m_words[i - 1] == "to" || m_words[i - 1] == "for" || m_words[i - 1] == "is");
            const auto number = m_used[i] ? std::nullopt : readNumber(std::span(m_words).subspan(i), afterName || afterPreposition ? homophonesAt(i) : Homophones::No);
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
        const auto others = std::count_if(siblings.begin(), siblings.end(), [&](const ToolParameter& other) { return &other != &parameter && isNumeric(other.type) && !other.isRequired; });
        // A number that nobody named goes to an optional argument only where no other could have been meant.
        if (!best || (!best->isNamed && !parameter.isRequired && (others > 0 || free != 1))) {
            return std::nullopt;
        }
        double value = best->number.value;
        std::size_t end = best->at + best->number.length;
        if (end < m_words.size() && timeUnit(m_words[end]) > 0 && unitOf(parameter) > 0) {
            value = value * timeUnit(m_words[end]) / unitOf(parameter);
            ++end;
        } else if (end < m_words.size() && (namesParameter(parameter, m_words[end]) || m_words[end] == "percent" || m_words[end] == "degrees")) {
            ++end;
        }
        use(best->at, end - best->at);
        return accept(parameter, value);
    }

    /// "to to" and "for for": the second one is the number.
    Homophones homophonesAt(std::size_t at) const
    {
        const bool isLast = at + 1 == m_words.size() || timeUnit(m_words[at + 1]) > 0 || m_words[at + 1] == "percent" || m_words[at + 1] == "degrees";
        return isLast ? Homophones::Yes : Homophones::No;
    }

    std::optional<Json> accept(const ToolParameter& parameter, double value)
    {
        const bool isWhole = value == std::floor(value) && std::abs(value) < 9e15;
        const bool isLow = parameter.minimum && value < *parameter.minimum;
        const bool isHigh = parameter.maximum && value > *parameter.maximum;
        const std::string name = joinWords(parameter.nameWords);
        if (isLow || isHigh) {
            m_complaint = "The " + name + " must be " + (parameter.minimum && parameter.maximum ? "between " + numberWords(*parameter.minimum) + " and " + numberWords(*parameter.maximum) : isLow ? "at least " + numberWords(*parameter.minimum) : "at most " + numberWords(*parameter.maximum)) + ".";
            return std::nullopt;
        }
        if (parameter.type == Type::Integer && !isWhole) {
            m_complaint = "The " + name + " must be a whole number.";
            return std::nullopt;
        }
        return isWhole ? Json(static_cast<std::int64_t>(value)) : Json(value);
    }

    std::optional<Json> readBoolean(const ToolParameter& parameter)
    {
        static constexpr std::array<std::string_view, 10> kYes{"on", "yes", "true", "enable", "enabled", "activate", "with", "yeah", "yep", "sure"};
        static constexpr std::array<std::string_view, 9> kNo{"off", "no", "false", "disable", "disabled", "deactivate", "without", "not", "nope"};
        const auto isIn = [](const auto& list, const std::string& word) { return std::find(list.begin(), list.end(), word) != list.end(); };
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
        const bool isSwitch = parameter.isRequired || parameter.nameWords == Words{"on"} || parameter.nameWords == Words{"enabled"} || parameter.nameWords == Words{"state"} || parameter.nameWords == Words{"power"};
        for (std::size_t i = 0; isSwitch && i < m_words.size(); ++i) {
            const bool isNo = isIn(kNo, m_words[i]);
            if (!m_used[i] && (isNo || (isIn(kYes, m_words[i]) && m_words[i] != "with"))) {
                // "on the desk" is a place: the switch "on" stands after turn or at the end.
                const bool isPlace = m_words[i] == "on" && i + 1 < m_words.size() && !(i > 0 && meaningOf(m_words[i - 1]) == "turn");
                if (!isPlace) {
                    use(i, 1);
                    return Json(!isNo);
                }
            }
        }
        return std::nullopt;
    }

    /// The words that introduce a value for this argument, by its name.
    static std::vector<std::string_view> leadsOf(const ToolParameter& parameter)
    {
        const auto named = [&](std::initializer_list<std::string_view> names) {
            return std::any_of(parameter.nameWords.begin(), parameter.nameWords.end(), [&](const std::string& word) { return std::find(names.begin(), names.end(), word) != names.end(); });
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

    bool isOpenText(const ToolParameter& parameter) const
    {
        return std::any_of(parameter.nameWords.begin(), parameter.nameWords.end(), [](const std::string& word) {
            return word == "message" || word == "text" || word == "body" || word == "content" || word == "note" || word == "query" || word == "question";
        });
    }

    /// The value from `start` on: until the next preposition or used word, for open text until the end.
    std::optional<Json> take(std::size_t start, bool isOpen)
    {
        while (start < m_words.size() && !isOpen && (m_words[start] == "the" || m_words[start] == "a" || m_words[start] == "an" || m_words[start] == "my")) {
            ++start;
        }
        std::size_t end = start;
        while (end < m_words.size() && !m_used[end] && (isOpen || (!isPreposition(m_words[end]) && !isTimeWord(end, start)))) {
            ++end;
        }
        const auto value = std::span(m_words).subspan(std::min(start, m_words.size()), end - std::min(start, end));
        const bool isEmpty = std::all_of(value.begin(), value.end(), [&](const std::string& word) { return isFiller(word) && !isOpen; });
        if (value.empty() || isEmpty) {
            return std::nullopt;
        }
        use(start, end - start);
        return Json(asSaid(joinWords(value)));
    }

    /// "tomorrow" and the like end a place or a name.
    bool isTimeWord(std::size_t at, std::size_t start) const
    {
        static constexpr std::array<std::string_view, 6> kTimes{"today", "tomorrow", "tonight", "now", "please", "yesterday"};
        return at > start && std::find(kTimes.begin(), kTimes.end(), m_words[at]) != kTimes.end();
    }

    /// The spelling of the utterance itself: "Berlin", not "berlin".
    std::string asSaid(const std::string& value) const
    {
        const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b)); };
        const auto found = std::search(m_text.begin(), m_text.end(), value.begin(), value.end(), same);
        return found == m_text.end() ? value : std::string(found, found + static_cast<std::ptrdiff_t>(value.size()));
    }

    std::optional<Json> readString(const ToolParameter& parameter, const std::vector<ToolParameter>& siblings)
    {
        const bool isOpen = isOpenText(parameter);
        for (const std::string& name : parameter.nameWords) {
            // "with the title groceries": the argument's own name, unless that is what the function is about.
            for (std::size_t i = 0; i + 1 < m_words.size(); ++i) {
                if (!m_used[i] && !m_nameWord[i] && !isFiller(name) && meansSame(name, m_words[i]) && !isPreposition(m_words[i + 1])) {
                    if (auto value = take(i + (m_words[i + 1] == "is" ? 2 : 1), isOpen)) {
                        use(i, 1);
                        return value;
                    }
                }
            }
        }
        const bool isDay = std::any_of(parameter.nameWords.begin(), parameter.nameWords.end(), [](const std::string& word) { return word == "date" || word == "day" || word == "when" || word == "time"; });
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
        const auto strings = std::count_if(siblings.begin(), siblings.end(), [](const ToolParameter& other) { return other.type == Type::String && other.choices.empty() && other.isRequired; });
        return parameter.isRequired && strings == 1 && !isDay ? readRest() : std::nullopt;
    }

    std::optional<Json> readDay()
    {
        static constexpr std::array<std::string_view, 10> kDays{"today", "tomorrow", "tonight", "yesterday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
        for (std::size_t i = 0; i < m_words.size(); ++i) {
            if (!m_used[i] && (m_words[i] == "sunday" || std::find(kDays.begin(), kDays.end(), m_words[i]) != kDays.end())) {
                use(i, 1);
                return Json(asSaid(m_words[i]));
            }
        }
        return std::nullopt;
    }

    /// The last run of words that nothing else explains.
    std::optional<Json> readRest()
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
        while (start < end && (isFiller(m_words[start]) || isPreposition(m_words[start]) || isCommandVerb(m_words[start]))) {
            ++start;
        }
        if (start >= end) {
            return std::nullopt;
        }
        use(start, end - start);
        return Json(asSaid(joinWords(std::span(m_words).subspan(start, end - start))));
    }

    static bool isCommandVerb(std::string_view word)
    {
        static constexpr std::array<std::string_view, 16> kVerbs{"get", "set", "show", "find", "tell", "give", "look", "up", "check", "turn", "make", "put", "add", "search", "go", "let"};
        return std::find(kVerbs.begin(), kVerbs.end(), word) != kVerbs.end();
    }

    std::optional<Json> readList(const ToolParameter& parameter)
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

    /// Adds declared defaults to required arguments and lists what is missing.
    void finish(const std::vector<ToolParameter>& parameters, Json& object, const ParameterPath& path, FilledArguments& result, bool isNeeded)
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

    const std::string& m_text;
    const Words& m_words;
    const ToolSpec& m_tool;
    std::vector<bool> m_used;
    std::vector<bool> m_nameWord = std::vector<bool>(m_words.size(), false);
    std::string m_complaint;
};

const ToolParameter* findParameter(const ToolSpec& tool, const ParameterPath& path)
{
    const std::vector<ToolParameter>* level = &tool.parameters;
    const ToolParameter* found = nullptr;
    for (const std::string& name : path) {
        const auto next = std::find_if(level->begin(), level->end(), [&](const ToolParameter& parameter) { return parameter.name == name; });
        if (next == level->end()) {
            return nullptr;
        }
        found = &*next;
        level = &found->children;
    }
    return found;
}

} // namespace

FilledArguments fillArguments(const Utterance& utterance, const ToolSpec& tool)
{
    return Filler(utterance, tool).fill();
}

FilledArguments completeArguments(const Utterance& answer, const ToolSpec& tool, const FilledArguments& before, const ParameterPath& path)
{
    FilledArguments result = before;
    result.complaint.clear();
    const ToolParameter* parameter = findParameter(tool, path);
    if (parameter == nullptr) {
        return result;
    }
    // The answer is about this argument alone, so a function of this one argument is filled with it.
    ToolSpec only{{}, {}, {}, {*parameter}};
    only.parameters[0].isRequired = true;
    only.parameters[0].defaultJson.clear();
    Utterance reply = answer;
    static constexpr std::array<std::string_view, 10> kLeads{"it", "is", "the", "in", "on", "to", "for", "at", "make", "from"};
    while (parameter->type == Type::String && reply.words.size() > 1 && std::find(kLeads.begin(), kLeads.end(), reply.words.front()) != kLeads.end()) {
        reply.words.erase(reply.words.begin());
    }
    if (isNumeric(parameter->type) && reply.words.size() == 1) {
        // Alone, "for" is four.
        if (const auto number = readNumber(reply.words, Homophones::Yes)) {
            reply.words = splitWords(numberWords(number->value));
        }
    }
    FilledArguments filled = fillArguments(reply, only);
    Json value = Json::parse(filled.json);
    if (parameter->type == Type::String && parameter->choices.empty()) {
        Utterance whole = reply;
        const std::string text = joinWords(whole.words);
        const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b)); };
        const auto found = std::search(answer.text.begin(), answer.text.end(), text.begin(), text.end(), same);
        value[parameter->name] = found == answer.text.end() ? text : std::string(found, found + static_cast<std::ptrdiff_t>(text.size()));
    }
    result.complaint = filled.complaint;
    if (!value.contains(parameter->name)) {
        return result;
    }
    Json arguments = Json::parse(before.json);
    Json* target = &arguments;
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
        target = &(*target)[path[i]];
    }
    (*target)[path.back()] = value[parameter->name];
    result.json = core::writeJson(arguments);
    std::erase(result.missing, path);
    return result;
}

std::string questionFor(const ToolSpec& tool, const ParameterPath& path)
{
    const ToolParameter* parameter = findParameter(tool, path);
    const std::string name = parameter == nullptr ? "value" : joinWords(parameter->nameWords);
    std::string question = (parameter != nullptr && isNumeric(parameter->type) ? "What " : "Which ") + name;
    if (parameter != nullptr && parameter->type == Type::Boolean) {
        return name + ": yes or no?";
    }
    if (parameter != nullptr && !parameter->choices.empty()) {
        std::vector<std::string> names;
        for (const auto& choice : parameter->choices) {
            names.push_back(joinWords(choice.words));
        }
        if (names.size() <= 6) {
            question += ": " + listed(names, "or");
        }
    }
    return question + "?";
}

} // namespace vivavoce::agent::skills
