#include "agent/realtime/shape.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace vivavoce::agent::realtime {

namespace {

std::string join(const std::string& path, const std::string& name)
{
    return path.empty() ? name : path + "." + name;
}

EventFault wrongKind(const std::string& path, const char* wanted)
{
    return invalidValue(path, "Invalid value for '" + path + "': expected " + wanted + ".");
}

EventFault missing(const std::string& path)
{
    return {"missing_required_parameter", "Missing required parameter: '" + path + "'.", path};
}

/// Names from clients go back to clients only when short: an error must not be an amplifier.
std::string shown(const std::string& name)
{
    return name.size() <= 64 ? name : name.substr(0, 64);
}

} // namespace

Rule text(std::size_t maxBytes)
{
    return [maxBytes](const core::Json& value, const std::string& path) -> std::optional<EventFault> {
        if (!value.is_string()) {
            return wrongKind(path, "a string");
        }
        if (value.get_ref<const std::string&>().size() > maxBytes) {
            return invalidValue(
                path, "Invalid value for '" + path + "': longer than " + std::to_string(maxBytes) + " bytes.");
        }
        return std::nullopt;
    };
}

Rule nonEmptyText(std::size_t maxBytes)
{
    return [inner = text(maxBytes)](const core::Json& value, const std::string& path) -> std::optional<EventFault> {
        if (auto fault = inner(value, path)) {
            return fault;
        }
        if (value.get_ref<const std::string&>().empty()) {
            return wrongKind(path, "a string that is not empty");
        }
        return std::nullopt;
    };
}

Rule boolean()
{
    return [](const core::Json& value, const std::string& path) -> std::optional<EventFault> {
        return value.is_boolean() ? std::nullopt : std::optional(wrongKind(path, "a boolean"));
    };
}

Rule numberIn(double lowest, double highest)
{
    return [lowest, highest](const core::Json& value, const std::string& path) -> std::optional<EventFault> {
        if (!value.is_number()) {
            return wrongKind(path, "a number");
        }
        const double number = value.get<double>();
        if (!(number >= lowest && number <= highest)) {
            return invalidValue(path, "Invalid value for '" + path + "': out of range.");
        }
        return std::nullopt;
    };
}

Rule integerIn(long long lowest, long long highest)
{
    return [lowest, highest](const core::Json& value, const std::string& path) -> std::optional<EventFault> {
        if (!value.is_number_integer()) {
            return wrongKind(path, "an integer");
        }
        const bool isHuge = value.is_number_unsigned()
            && value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<long long>::max());
        if (isHuge || value.get<long long>() < lowest || value.get<long long>() > highest) {
            return invalidValue(path,
                "Invalid value for '" + path + "': expected an integer from " + std::to_string(lowest) + " to "
                    + std::to_string(highest) + ".");
        }
        return std::nullopt;
    };
}

Rule oneOf(std::initializer_list<const char*> values)
{
    return [list = std::vector<std::string>(values.begin(), values.end())](
               const core::Json& value, const std::string& path) -> std::optional<EventFault> {
        if (!value.is_string()) {
            return wrongKind(path, "a string");
        }
        if (std::find(list.begin(), list.end(), value.get_ref<const std::string&>()) != list.end()) {
            return std::nullopt;
        }
        std::string supported;
        for (const std::string& one : list) {
            supported += (supported.empty() ? "'" : ", '") + one + "'";
        }
        return invalidValue(path,
            "Invalid value: '" + shown(value.get_ref<const std::string&>()) + "'. Supported values are: " + supported
                + ".");
    };
}

Rule nullOr(Rule rule)
{
    return [inner = std::move(rule)](const core::Json& value, const std::string& path) -> std::optional<EventFault> {
        return value.is_null() ? std::nullopt : inner(value, path);
    };
}

Rule textOr(Rule ifText, Rule otherwise)
{
    return [first = std::move(ifText), second = std::move(otherwise)](const core::Json& value,
               const std::string& path) { return value.is_string() ? first(value, path) : second(value, path); };
}

Rule listOf(Rule element, std::size_t maxElements)
{
    return [inner = std::move(element), maxElements](
               const core::Json& value, const std::string& path) -> std::optional<EventFault> {
        if (!value.is_array()) {
            return wrongKind(path, "an array");
        }
        if (value.size() > maxElements) {
            return invalidValue(
                path, "Invalid value for '" + path + "': more than " + std::to_string(maxElements) + " elements.");
        }
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (auto fault = inner(value[i], path + "[" + std::to_string(i) + "]")) {
                return fault;
            }
        }
        return std::nullopt;
    };
}

Rule object(std::vector<Field> fields)
{
    return [list = std::move(fields)](const core::Json& value, const std::string& path) -> std::optional<EventFault> {
        if (!value.is_object()) {
            return wrongKind(path, "an object");
        }
        for (const Field& field : list) {
            if (field.presence == Presence::Required && !value.contains(field.name)) {
                return missing(join(path, field.name));
            }
        }
        for (const auto& [name, member] : value.items()) {
            const auto field =
                std::find_if(list.begin(), list.end(), [&name = name](const Field& f) { return f.name == name; });
            if (field == list.end()) {
                const std::string where = join(path, shown(name));
                return EventFault{"unknown_parameter", "Unknown parameter: '" + where + "'.", where};
            }
            if (auto fault = field->rule(member, join(path, name))) {
                return fault;
            }
        }
        return std::nullopt;
    };
}

Rule anyObject()
{
    return [](const core::Json& value, const std::string& path) -> std::optional<EventFault> {
        return value.is_object() ? std::nullopt : std::optional(wrongKind(path, "an object"));
    };
}

Rule anything()
{
    return [](const core::Json&, const std::string&) -> std::optional<EventFault> { return std::nullopt; };
}

Rule byType(std::vector<std::pair<std::string, Rule>> variants)
{
    return [list = std::move(variants)](const core::Json& value, const std::string& path) -> std::optional<EventFault> {
        if (!value.is_object()) {
            return wrongKind(path, "an object");
        }
        const std::string where = join(path, "type");
        const auto type = value.find("type");
        if (type == value.end()) {
            return missing(where);
        }
        if (!type->is_string()) {
            return wrongKind(where, "a string");
        }
        std::string supported;
        for (const auto& [name, rule] : list) {
            if (name == type->get_ref<const std::string&>()) {
                return rule(value, path);
            }
            supported += (supported.empty() ? "'" : ", '") + name + "'";
        }
        return invalidValue(where,
            "Invalid value: '" + shown(type->get_ref<const std::string&>()) + "'. Supported values are: " + supported
                + ".");
    };
}

} // namespace vivavoce::agent::realtime
