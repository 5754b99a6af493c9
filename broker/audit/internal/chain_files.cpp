#include "broker/audit/internal/chain_files.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <system_error>

namespace vivavoce::broker::audit {
namespace {

namespace fs = std::filesystem;
using core::Unexpected;

constexpr std::string_view kPrefix = "audit-";
constexpr std::string_view kSuffix = ".jsonl";
constexpr std::size_t kDigits = 20;
/// Holds the longest torn line behind the longest whole one.
constexpr std::uint64_t kWindowBytes = 4 * kMaxLineBytes;

Unexpected<core::Error> refuse(const std::string& file, const char* why)
{
    return core::fail(core::ErrorCode::BadConfiguration, "the audit trail's " + file + " " + why);
}

struct FileEnd {
    std::uint64_t size = 0;
    /// Nothing: no whole line.
    std::optional<ChainLine> last;
    std::string torn;
};

core::Expected<FileEnd, core::Error> readEnd(const fs::path& folder, const std::string& name)
{
    std::ifstream input(folder / name, std::ios::binary | std::ios::ate);
    const auto whole = input ? static_cast<std::uint64_t>(input.tellg()) : 0;
    std::string window(std::min(whole, kWindowBytes), '\0');
    input.seekg(static_cast<std::streamoff>(whole - window.size()));
    if (!input.read(window.data(), static_cast<std::streamsize>(window.size()))) {
        return refuse(name, "cannot be read");
    }
    const std::size_t end = window.rfind('\n');
    if (end == std::string::npos) {
        if (window.size() < whole) {
            return refuse(name, "does not end with lines of ours");
        }
        return FileEnd{0, std::nullopt, std::move(window)};
    }
    const std::size_t before = end == 0 ? std::string::npos : window.rfind('\n', end - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    const auto line = parseLine(std::string_view(window).substr(begin, end - begin));
    if (!line || !line->isWhole) {
        return refuse(name, "does not end with a line of ours");
    }
    std::string torn = window.substr(end + 1);
    return FileEnd{whole - torn.size(), line, std::move(torn)};
}

} // namespace

std::string fileNameOf(std::uint64_t firstSequence)
{
    const std::string number = std::to_string(firstSequence);
    return std::string(kPrefix) + std::string(kDigits - number.size(), '0') + number + std::string(kSuffix);
}

bool isTrailFile(std::string_view name)
{
    if (name.size() != kPrefix.size() + kDigits + kSuffix.size() || !name.starts_with(kPrefix)
        || !name.ends_with(kSuffix)) {
        return false;
    }
    const std::string_view digits = name.substr(kPrefix.size(), kDigits);
    return std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

core::Expected<std::vector<std::string>, core::Error> trailFiles(const fs::path& folder)
{
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        std::string name = entry->path().filename().string();
        if (isTrailFile(name)) {
            names.push_back(std::move(name));
        }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return refuse("folder", "cannot be read");
    }
    std::sort(names.begin(), names.end());
    return names;
}

core::Expected<ChainTail, core::Error> readTail(const fs::path& folder)
{
    const auto files = trailFiles(folder);
    if (!files) {
        return Unexpected<core::Error>(files.error());
    }
    if (files->empty()) {
        return ChainTail{{}, fileNameOf(1), 0, {}};
    }
    const std::string& newest = files->back();
    auto end = readEnd(folder, newest);
    if (!end) {
        return Unexpected<core::Error>(end.error());
    }
    if (end->last) {
        return ChainTail{{end->last->sequence, end->last->hash}, newest, end->size, std::move(end->torn)};
    }
    // Begun, but without a line: the chain's head is in the file before.
    ChainHead head;
    if (files->size() > 1) {
        const std::string& before = (*files)[files->size() - 2];
        const auto finished = readEnd(folder, before);
        if (!finished) {
            return Unexpected<core::Error>(finished.error());
        }
        if (!finished->last || !finished->torn.empty()) {
            return refuse(before, "does not end with a line of ours");
        }
        head = {finished->last->sequence, finished->last->hash};
    }
    if (newest != fileNameOf(head.sequence + 1)) {
        return refuse(newest, "does not follow the lines before it");
    }
    return ChainTail{head, newest, 0, std::move(end->torn)};
}

} // namespace vivavoce::broker::audit
