#pragma once

#include <optional>

namespace vivavoce::app {

/// Name, version, icon and desktop file: what the system shows of this program. Needs a QCoreApplication; with a QGuiApplication the
/// window is introduced too.
void introduce();

/// What --help and the like are answered with: the exit code, where there is nothing more to do. After `introduce`.
[[nodiscard]] std::optional<int> answerCommandLine();

} // namespace vivavoce::app
