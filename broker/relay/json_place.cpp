#include "broker/relay/json_place.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace vivavoce::broker::relay {

using core::Json;

Place findPlace(const Json& from, std::initializer_list<std::string_view> path, const NameRules& names)
{
    const Json* at = &from;
    for (const std::string_view name : path) {
        // No part at all changes nothing. A part of a part that is none may take what is locked in it back to what the provider has by itself.
        if (at == &from && at->is_null()) {
            return {};
        }
        if (!at->is_object()) {
            return {nullptr, true};
        }
        const auto& members = at->get_ref<const Json::object_t&>();
        const auto found = std::find_if(
            members.begin(), members.end(), [&](const auto& member) { return names.isSame(member.first, name); });
        if (found == members.end()) {
            return {};
        }
        if (!names.isSpelt(found->first, name)) {
            return {nullptr, true};
        }
        at = &found->second;
    }
    return {at, false};
}

bool isOneOf(const Json& value, const std::vector<std::string>& names)
{
    return value.is_string()
        && std::find(names.begin(), names.end(), value.get_ref<const std::string&>()) != names.end();
}

} // namespace vivavoce::broker::relay
