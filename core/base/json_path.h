#pragma once

#include "core/base/json.h"

#include <initializer_list>

namespace vivavoce::core {

/// What is at the end of these names, object by object; nullptr where there is nothing, or where something on the way is no object. Pure.
[[nodiscard]] const Json* findAt(const Json& object, std::initializer_list<const char*> path);

} // namespace vivavoce::core
