#pragma once

#include "broker/config_problems.h"

#include <string>
#include <string_view>

namespace vivavoce::broker {

/// Who else than its owner may read a file, by its mode and by those of the folders above it.
enum class Readers { Owner, Group, Everybody };
[[nodiscard]] Readers readersOf(const std::string& path);

/// Tells of a file with a secret in it that the group (Warning) or everybody (Exposure) may read. Below /run/secrets, where containers have
/// theirs and a container has one user, it says nothing.
void tellExposure(std::string_view key, const std::string& path, Problems& problems);

[[nodiscard]] bool isThere(const std::string& path);
/// A regular file or the like that this process may read; a folder is none.
[[nodiscard]] bool isReadableFile(const std::string& path);
/// Where files can be made, or that could be made itself: only its last part may be missing.
[[nodiscard]] bool isUsableFolder(const std::string& path);

} // namespace vivavoce::broker
