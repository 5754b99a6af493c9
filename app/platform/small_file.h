#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <string>

namespace vivavoce::platform {

/// What is in a file of at most 256 KiB. BadConfiguration with its name and why it cannot be read.
[[nodiscard]] core::Expected<std::string, core::Error> readSmallFile(const std::string& file);

} // namespace vivavoce::platform
