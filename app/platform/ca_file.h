#pragma once

#include "core/settings/ca_file.h"

namespace vivavoce::platform {

/// core::CheckCaFile for files of this computer.
[[nodiscard]] std::optional<core::CaFileFault> checkCaFile(const std::string& path);

} // namespace vivavoce::platform
