#pragma once

#include "core/base/secret.h"

#include <memory>

namespace vivavoce::app {

/// The program in its window, until that is closed; the exit code.
[[nodiscard]] int runInWindow(int argc, char** argv, std::shared_ptr<const core::Secret> credential);
/// Says that there is no display, unless help or version was asked for; the exit code.
[[nodiscard]] int runWithoutDisplay(int argc, char** argv);

} // namespace vivavoce::app
