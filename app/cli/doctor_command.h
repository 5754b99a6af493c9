#pragma once

#include "app/cli/options.h"

namespace vivavoce::cli {

/// Checks what a conversation needs: the two servers' programs, that they start and answer, a token, a reply to typed words.
/// Returns the exit code: 0 when everything works, else that of the first thing that does not. Runs an event loop.
[[nodiscard]] int runDoctor(const DoctorOptions& options);

} // namespace vivavoce::cli
