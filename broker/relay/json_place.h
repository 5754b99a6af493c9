#pragma once

#include "core/base/json.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::relay {

/// How the readers of a protocol take the names of members.
struct NameRules {
    /// Some reader takes it for that name.
    bool (*isSame)(std::string_view written, std::string_view name);
    /// It is written as the protocol has it.
    bool (*isSpelt)(std::string_view written, std::string_view name);
};

/// What a path of names leads to, however they are written.
struct Place {
    /// Null: nothing.
    const core::Json* value = nullptr;
    /// A name on the way is not written as the protocol has it, or something is no object that has to be one.
    bool isWrong = false;
};

/// Of an object in which no name is there twice to any of those readers.
[[nodiscard]] Place findPlace(
    const core::Json& from, std::initializer_list<std::string_view> path, const NameRules& names);

/// There is something else than what may be there.
template <typename Allowed>
[[nodiscard]] bool isBroken(const Place& place, Allowed isAllowed)
{
    return place.isWrong || (place.value != nullptr && !isAllowed(*place.value));
}

[[nodiscard]] inline bool isNever(const core::Json& /*value*/)
{
    return false;
}

/// It is a string, and among these.
[[nodiscard]] bool isOneOf(const core::Json& value, const std::vector<std::string>& names);

} // namespace vivavoce::broker::relay
