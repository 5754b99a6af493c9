#pragma once

#include "core/tools/built_in_tools.h"

namespace vivavoce::platform {

/// With the zones that Qt knows; it is core's ToLocalMoment. [any thread]
[[nodiscard]] std::optional<core::LocalMoment> localMoment(core::WallTime time, const std::string& zone);

} // namespace vivavoce::platform
