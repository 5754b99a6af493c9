#pragma once

namespace vivavoce::platform {

/// Whether a window has somewhere to be: a display that answers. Asked before QGuiApplication is made, which ends the program where there is not.
[[nodiscard]] bool hasDisplay();

} // namespace vivavoce::platform
