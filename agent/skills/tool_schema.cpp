#include "agent/skills/tool_schema.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace vivavoce::agent::skills {

namespace {

using core::Json;
using Type = ToolParameter::Type;
constexpr int kDeepest = 3;
constexpr std::size_t kMostParameters = 32;

std::string stringOf(const Json& object, const char* key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Type typeOf(const Json& schema)
{
    static constexpr std::array<std::pair<std::string_view, Type>, 6> kTypes{
        {{"string", Type::String}, {"number", Type::Number}, {"integer", Type::Integer}, {"boolean", Type::Boolean},
            {"array", Type::Array}, {"object", Type::Object}}};
    const auto found = schema.find("type");
    if (found != schema.end()) {
        // A union like ["string", "null"] is its first type that can be said.
        for (const Json& entry : found->is_array() ? *found : Json::array({*found})) {
            for (const auto& [name, type] : kTypes) {
                if (entry.is_string() && entry.get_ref<const std::string&>() == name) {
                    return type;
                }
            }
        }
    }
    return schema.contains("properties") ? Type::Object : Type::String;
}

void readChoices(const Json& schema, std::vector<ToolParameter::Choice>& choices)
{
    const auto add = [&](const Json& value) {
        if (!value.is_null()) {
            choices.push_back({core::writeJson(value),
                value.is_string() ? splitIdentifier(value.get_ref<const std::string&>()) : splitWords(value.dump())});
        }
    };
    if (const auto values = schema.find("enum"); values != schema.end() && values->is_array()) {
        std::for_each(values->begin(), values->end(), add);
    } else if (const auto only = schema.find("const"); only != schema.end()) {
        add(*only);
    }
}

std::vector<ToolParameter> readProperties(const Json& schema, int depth)
{
    std::vector<ToolParameter> parameters;
    const auto properties = schema.find("properties");
    if (properties == schema.end() || !properties->is_object() || depth > kDeepest) {
        return parameters;
    }
    const auto required = schema.find("required");
    for (const auto& member : properties->items()) {
        // Not a structured binding: Clang 14 captures none.
        const std::string& name = member.key();
        const Json& property = member.value();
        if (!property.is_object() || parameters.size() >= kMostParameters) {
            continue;
        }
        ToolParameter parameter;
        parameter.name = name;
        parameter.nameWords = splitIdentifier(name);
        parameter.descriptionWords = splitWords(stringOf(property, "description"));
        parameter.type = typeOf(property);
        parameter.isRequired = required != schema.end() && required->is_array()
            && std::find(required->begin(), required->end(), Json(name)) != required->end();
        readChoices(property, parameter.choices);
        const auto limit = [&](const char* key) -> std::optional<double> {
            const auto found = property.find(key);
            return found != property.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
        };
        parameter.minimum = limit("minimum");
        parameter.maximum = limit("maximum");
        if (const auto value = property.find("default"); value != property.end()) {
            parameter.defaultJson = core::writeJson(*value);
        }
        if (const auto items = property.find("items"); items != property.end() && items->is_object()) {
            parameter.elementType = typeOf(*items);
            readChoices(*items, parameter.choices);
        }
        parameter.children = readProperties(property, depth + 1);
        parameters.push_back(std::move(parameter));
    }
    return parameters;
}

} // namespace

ToolSpec readTool(const Tool& tool)
{
    ToolSpec spec{tool.name, splitIdentifier(tool.name), splitWords(tool.description), {}};
    if (const auto schema = core::parseJson(tool.parameters); schema && schema->is_object()) {
        spec.parameters = readProperties(*schema, 0);
    }
    return spec;
}

} // namespace vivavoce::agent::skills
