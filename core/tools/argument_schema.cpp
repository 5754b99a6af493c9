#include "core/tools/argument_schema.h"

#include "core/base/json.h"

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <set>
#include <utility>

namespace vivavoce::core {
namespace {

constexpr std::size_t kMostParts = 20'000;
constexpr int kDeepest = 200;
constexpr std::size_t kMostFaults = 5;
constexpr std::size_t kLongestFault = 400;

constexpr std::array<std::string_view, 9> kSchemas{
    "additionalProperties", "additionalItems", "contains", "else", "if", "items", "not", "propertyNames", "then"};
constexpr std::array<std::string_view, 4> kSchemaLists{"allOf", "anyOf", "items", "oneOf"};
constexpr std::array<std::string_view, 2> kSchemaMaps{"dependencies", "properties"};
constexpr std::array<std::string_view, 2> kDefinitions{"$defs", "definitions"};
// Expressions could keep us busy for ever (std::regex goes back and forth, and deep into the stack). The rest the library does not know.
constexpr std::array kIgnored{"$anchor", "$dynamicRef", "dependentRequired", "dependentSchemas", "format",
    "maxContains", "minContains", "pattern", "patternProperties", "prefixItems", "unevaluatedItems",
    "unevaluatedProperties"};

/// Takes out of a schema what is not held against anything, and then sees that it comes to an end with all its references followed.
class Walk {
public:
    /// What is wrong with it; empty: nothing.
    [[nodiscard]] std::string run(Json& root)
    {
        if (strip(root)) {
            measure(root, root, 0);
        }
        return std::move(m_fault);
    }
    [[nodiscard]] std::vector<std::string> takeIgnored() { return std::move(m_ignored); }

private:
    bool refuse(std::string fault)
    {
        m_fault = std::move(fault);
        return false;
    }

    template <typename Visit>
    static bool visitParts(Json& schema, const Visit& visit, bool isWithDefinitions)
    {
        for (const auto& [key, part] : schema.items()) {
            const auto isOneOf = [&name = key](const auto& names) {
                return std::find(names.begin(), names.end(), name) != names.end();
            };
            const bool isMap = isOneOf(kSchemaMaps) || (isWithDefinitions && isOneOf(kDefinitions));
            if ((part.is_array() && isOneOf(kSchemaLists)) || (part.is_object() && isMap)) {
                // A dependency may also be a list of names.
                if (!std::all_of(part.begin(), part.end(),
                        [&](Json& inner) { return (isMap && inner.is_array()) || visit(inner); })) {
                    return false;
                }
            } else if (isOneOf(kSchemas) && !part.is_array() && !visit(part)) {
                return false;
            }
        }
        return true;
    }

    bool strip(Json& schema)
    {
        m_schemas.insert(&schema);
        if (schema.is_boolean()) {
            return true;
        }
        if (!schema.is_object()) {
            return refuse("a part of it is not a schema");
        }
        // What an expression lets in would be refused without it.
        if (schema.contains("patternProperties")) {
            schema.erase("additionalProperties");
        }
        for (const char* key : kIgnored) {
            if (schema.erase(key) > 0 && std::find(m_ignored.begin(), m_ignored.end(), key) == m_ignored.end()) {
                m_ignored.emplace_back(key);
            }
        }
        return visitParts(
            schema, [this](Json& part) { return strip(part); }, true);
    }

    bool measure(Json& root, Json& schema, int depth)
    {
        if (++m_parts > kMostParts || depth > kDeepest) {
            return refuse("it goes round in a circle, or is too big");
        }
        if (!schema.is_object()) {
            return true;
        }
        if (const auto reference = schema.find("$ref"); reference != schema.end()) {
            Json* const target = reference->is_string() ? targetOf(root, reference->get<std::string>()) : nullptr;
            if (target == nullptr) {
                return refuse("it refers to something that is not a part of it");
            }
            if (!measure(root, *target, depth + 1)) {
                return false;
            }
        }
        return visitParts(
            schema, [&](Json& part) { return measure(root, part, depth + 1); }, false);
    }

    /// Only what has been looked through: elsewhere, as in an example, there may be anything.
    Json* targetOf(Json& root, const std::string& reference) const
    {
        if (!reference.starts_with('#') || reference.find('%') != std::string::npos) {
            return nullptr;
        }
        try {
            Json* const target = &root.at(Json::json_pointer(reference.substr(1)));
            return m_schemas.contains(target) ? target : nullptr;
        } catch (const Json::exception&) {
            return nullptr;
        }
    }

    std::set<const Json*> m_schemas;
    std::size_t m_parts = 0;
    std::string m_fault;
    std::vector<std::string> m_ignored;
};

/// "<root>[city]" as the library tells a place.
std::string placeOf(const std::vector<std::string>& context)
{
    std::string place;
    for (std::size_t i = 1; i < context.size(); ++i) {
        place += context[i];
    }
    return place.empty() ? "the arguments" : place;
}

std::string faultsOf(valijson::ValidationResults& results)
{
    std::string text;
    valijson::ValidationResults::Error error;
    for (std::size_t i = 0; i < kMostFaults && results.popError(error); ++i) {
        text += (text.empty() ? "" : "; ") + placeOf(error.context) + ": " + error.description;
    }
    return text.substr(0, kLongestFault);
}

} // namespace

struct ArgumentSchema::Compiled {
    valijson::Schema schema;
};

Expected<ArgumentSchema, std::string> ArgumentSchema::create(std::string_view schema)
{
    auto json = parseJson(schema);
    if (!json) {
        return Unexpected<std::string>("it is not JSON: " + json.error().detail);
    }
    if (!json->is_object()) {
        return Unexpected<std::string>("it is not an object");
    }
    Walk walk;
    if (std::string fault = walk.run(*json); !fault.empty()) {
        return Unexpected<std::string>(std::move(fault));
    }
    ArgumentSchema made;
    auto compiled = std::make_shared<Compiled>();
    try {
        valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
        parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(*json), compiled->schema);
    } catch (const std::exception& error) {
        return Unexpected<std::string>(error.what());
    }
    made.m_compiled = std::move(compiled);
    made.m_ignored = walk.takeIgnored();
    return made;
}

Expected<std::string, std::string> ArgumentSchema::check(std::string_view arguments) const
{
    const std::string_view text =
        arguments.find_first_not_of(" \t\r\n") == std::string_view::npos ? std::string_view("{}") : arguments;
    const auto json = parseJson(text);
    if (!json) {
        return Unexpected<std::string>("not JSON: " + json.error().detail);
    }
    if (!json->is_object()) {
        return Unexpected<std::string>("not a JSON object");
    }
    try {
        valijson::Validator validator;
        valijson::ValidationResults results;
        if (validator.validate(m_compiled->schema, valijson::adapters::NlohmannJsonAdapter(*json), &results)) {
            return writeJson(*json);
        }
        return Unexpected<std::string>(faultsOf(results));
    } catch (const std::exception& error) {
        return Unexpected<std::string>(error.what());
    }
}

} // namespace vivavoce::core
