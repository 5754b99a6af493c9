#pragma once

#include <QString>

#include <optional>

namespace vivavoce::platform {

/// Keeps a file of settings that is not whole (cut off, with other bytes in it, or with a limit that is none) aside, readable by its user alone, before other settings take its place; what can still be
/// read of it goes on. Where it is now; nothing where the file is whole, or there is none.
/// Threads: one, before the settings are read.
[[nodiscard]] std::optional<QString> keepDamagedSettings(const QString& file);

} // namespace vivavoce::platform
