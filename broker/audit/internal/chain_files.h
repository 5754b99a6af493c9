#pragma once

#include "broker/audit/internal/chain_line.h"
#include "core/base/error.h"
#include "core/base/expected.h"

#include <filesystem>
#include <string>
#include <vector>

namespace vivavoce::broker::audit {

/// "audit-00000000000000000001.jsonl": files in the order of their names are in the order of the chain.
[[nodiscard]] std::string fileNameOf(std::uint64_t firstSequence);

/// Whether a file is called like one of a trail's.
[[nodiscard]] bool isTrailFile(std::string_view name);

/// The names of a trail's files in a folder, in order; none where there is no folder.
[[nodiscard]] core::Expected<std::vector<std::string>, core::Error> trailFiles(const std::filesystem::path& folder);

/// Where the next line goes.
struct ChainTail {
    ChainHead head;
    std::string file;
    /// The end of the last whole line.
    std::uint64_t size = 0;
    /// What comes behind it: the beginning of a line that a crash cut off.
    std::string torn;
};

/// Reads the end of the newest file. BadConfiguration where the last whole line is not one of ours: going on from there would hide it.
[[nodiscard]] core::Expected<ChainTail, core::Error> readTail(const std::filesystem::path& folder);

} // namespace vivavoce::broker::audit
