#pragma once

#include <QString>

namespace vivavoce::offline {

/// Draws every scene, or the one of that name, in light and dark into PNG files and returns the program's exit code. `isScaled`: those
/// that are drawn at twice the size, which the caller has asked Qt for.
[[nodiscard]] int renderScenes(const QString& folder, bool isScaled, const QString& name);

} // namespace vivavoce::offline
