#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <string>
#include <string_view>

namespace vivavoce::broker {

/// Makes a file of mode 0600 that is there as a whole and durable, or not at all; never changes one that is there (BadUsage), a link
/// included. OutputUnwritable with the system's reason.
[[nodiscard]] core::Expected<void, core::Error> writeNewFile(const std::string& path, std::string_view bytes);

} // namespace vivavoce::broker
