#include "agent/skills/tool_arguments.h"

#include "agent/skills/argument_filler.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace vivavoce::agent::skills {

namespace {

using core::Json;
using Type = ToolParameter::Type;

const ToolParameter* findParameter(const ToolSpec& tool, const ParameterPath& path)
{
    const std::vector<ToolParameter>* level = &tool.parameters;
    const ToolParameter* found = nullptr;
    for (const std::string& name : path) {
        const auto next = std::find_if(
            level->begin(), level->end(), [&](const ToolParameter& parameter) { return parameter.name == name; });
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
    return ArgumentFiller(utterance, tool).fill();
}

FilledArguments completeArguments(
    const Utterance& answer, const ToolSpec& tool, const FilledArguments& before, const ParameterPath& path)
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
    static constexpr std::array<std::string_view, 10> kLeads{
        "it", "is", "the", "in", "on", "to", "for", "at", "make", "from"};
    while (parameter->type == Type::String && reply.words.size() > 1
        && std::find(kLeads.begin(), kLeads.end(), reply.words.front()) != kLeads.end()) {
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
        const auto same = [](char a, char b) {
            return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
        };
        const auto found = std::search(answer.text.begin(), answer.text.end(), text.begin(), text.end(), same);
        value[parameter->name] =
            found == answer.text.end() ? text : std::string(found, found + static_cast<std::ptrdiff_t>(text.size()));
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
