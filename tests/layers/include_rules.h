#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What each folder may include: the arrows of docs/architecture.md, read from the sources where cmake/layers.cmake reads
/// them from the links. The two see different sins: a header can be included without a link.
namespace vivavoce::layers {

/// One #include that the table forbids.
struct Finding {
    /// Relative to the root, with slashes.
    std::string file;
    int line = 0;
    std::string include;
    std::string reason;
};

/// Judges one include of `file`. Empty: it is allowed. `include` stands as written, with its quotes or angle brackets.
[[nodiscard]] std::string refusal(std::string_view file, std::string_view include);

struct Report {
    std::vector<Finding> findings;
    int files = 0;
    int includes = 0;
};

/// Judges every source and header under the folders that ship.
[[nodiscard]] Report checkTree(const std::filesystem::path& root);

} // namespace vivavoce::layers
