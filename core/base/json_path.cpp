#include "core/base/json_path.h"

#include <nlohmann/json.hpp>

namespace vivavoce::core {

const Json* findAt(const Json& object, std::initializer_list<const char*> path)
{
    const Json* found = &object;
    for (const char* const name : path) {
        if (!found->is_object()) {
            return nullptr;
        }
        const auto next = found->find(name);
        if (next == found->end()) {
            return nullptr;
        }
        found = &*next;
    }
    return found;
}

} // namespace vivavoce::core
