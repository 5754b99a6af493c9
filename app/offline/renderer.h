#pragma once

#include <QString>

namespace vivavoce::offline {

/// Draws every scene in light and dark into PNG files and returns the program's exit code. `isScaled`: those that are drawn
/// at twice the size, which the caller has asked Qt for.
[[nodiscard]] int renderAll(const QString& folder, bool isScaled);

} // namespace vivavoce::offline
