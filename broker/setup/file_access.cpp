#include "broker/setup/file_access.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

namespace vivavoce::broker {
namespace {

std::optional<mode_t> modeOf(const std::string& path)
{
    struct stat about {};
    return ::stat(path.c_str(), &about) == 0 ? std::optional(about.st_mode) : std::nullopt;
}

} // namespace

Readers readersOf(const std::string& path)
{
    const mode_t mode = modeOf(path).value_or(0);
    bool group = (mode & S_IRGRP) != 0;
    bool everybody = (mode & S_IROTH) != 0;
    std::error_code ignored;
    std::filesystem::path folder = std::filesystem::weakly_canonical(path, ignored).parent_path();
    while (!folder.empty()) {
        const mode_t above = modeOf(folder.string()).value_or(0);
        // Who is not the group of the file may still be the group of a folder: what everybody may not pass, nobody else passes.
        everybody = everybody && (above & S_IXOTH) != 0;
        group = group && (above & (S_IXGRP | S_IXOTH)) != 0;
        if (folder == folder.parent_path()) {
            break;
        }
        folder = folder.parent_path();
    }
    return everybody ? Readers::Everybody : group ? Readers::Group : Readers::Owner;
}

void tellExposure(std::string_view key, const std::string& path, Problems& problems)
{
    if (path.starts_with("/run/secrets/")) {
        return;
    }
    switch (readersOf(path)) {
    case Readers::Everybody:
        problems.add(key, "names a file with a secret that everybody on this computer may read: chmod 600 it",
            Problems::Severity::Exposure);
        break;
    case Readers::Group:
        problems.add(key, "names a file with a secret that its whole group may read", Problems::Severity::Warning);
        break;
    case Readers::Owner:
        break;
    }
}

bool isThere(const std::string& path)
{
    return modeOf(path).has_value();
}

bool isReadableFile(const std::string& path)
{
    const auto mode = modeOf(path);
    return mode && !S_ISDIR(*mode) && ::access(path.c_str(), R_OK) == 0;
}

bool isUsableFolder(const std::string& path)
{
    const auto isFolder = [](const std::string& one) {
        const auto mode = modeOf(one);
        return mode && S_ISDIR(*mode) && ::access(one.c_str(), W_OK | X_OK) == 0;
    };
    if (isThere(path)) {
        return isFolder(path);
    }
    std::filesystem::path whole(path);
    if (!whole.has_filename()) {
        whole = whole.parent_path();
    }
    const std::string above = whole.parent_path().string();
    return isFolder(above.empty() ? "." : above);
}

} // namespace vivavoce::broker
