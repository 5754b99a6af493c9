#pragma once

#include <QString>

namespace vivavoce::ui {

/// The file that a person has typed: "~" is their home, as in a shell; what does not begin at the root lies in `folder`, where one is given.
[[nodiscard]] QString typedPath(const QString& typed, const QString& folder = {});

} // namespace vivavoce::ui
