#include "tests/layers/include_rules.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <regex>

namespace vivavoce::layers {
namespace {

namespace fs = std::filesystem;

/// One room: the folder, which folders of ours it may include beside itself, and which libraries.
struct Room {
    std::string_view folder;
    std::vector<std::string_view> ours;
    std::vector<std::string_view> libraries;
};

/// The longest folder that holds a file decides. A room that is not here may include nothing but the standard library.
const std::vector<Room>& rooms()
{
    static const std::vector<Room> table{
        {"core", {}, {"nlohmann", "tl", "valijson"}},
        {"audio/rt", {}, {"readerwriterqueue"}},
        {"audio/dsp", {"core"}, {"sndfile", "speex", "webrtc", "opus", "nlohmann"}},
        {"audio", {"core", "audio/rt", "audio/dsp"}, {"qt", "portaudio"}},
        {"net", {"core"}, {"boost", "openssl", "nlohmann"}},
        {"broker", {"core", "net", "audio/dsp"},
            {"boost", "openssl", "nlohmann", "spdlog", "toml", "cli", "hiredis", "soci", "prometheus", "simdjson",
                "curl"}},
        {"agent", {"core", "net", "audio/dsp"},
            {"boost", "openssl", "nlohmann", "spdlog", "cli", "pocketsphinx", "flite"}},
        {"app/platform", {"core"}, {"qt", "nlohmann"}},
        {"app/embedded", {"core"}, {"qt", "nlohmann"}},
        {"app/cli", {"core", "audio", "audio/dsp", "app/platform", "app/embedded"}, {"qt", "nlohmann", "cli"}},
        {"app/offline", {"core", "app"}, {"qt"}},
        {"app",
            {"core", "audio", "app/platform", "app/embedded", "ui/style", "ui/account", "ui/conversation", "ui/history",
                "ui/settings", "ui/shell", "ui/usage"},
            {"qt"}},
        {"ui/style", {"core"}, {"qt"}},
        {"ui/account", {"core", "ui/style"}, {"qt"}},
        {"ui/conversation", {"core", "ui/style"}, {"qt"}},
        {"ui/history", {"core", "ui/style"}, {"qt"}},
        {"ui/settings", {"core", "ui/style"}, {"qt"}},
        {"ui/shell", {"core", "ui/style"}, {"qt"}},
        {"ui/usage", {"core", "ui/style"}, {"qt"}},
        {"bench", {"core", "net", "audio", "audio/rt", "audio/dsp", "broker", "agent"},
            {"boost", "nlohmann", "cli", "openssl", "qt"}},
    };
    return table;
}

struct Library {
    std::string_view name;
    std::regex header;
};

const std::vector<Library>& libraries()
{
    const auto header = [](const char* pattern) { return std::regex(pattern, std::regex::optimize); };
    static const std::vector<Library> table{
        {"qt", header("Q[A-Z].*|Qt.*|q[a-z0-9]+\\.h")},
        {"boost", header("boost/.*")},
        {"openssl", header("openssl/.*")},
        {"nlohmann", header("nlohmann/.*")},
        {"tl", header("tl/.*")},
        {"valijson", header("valijson/.*")},
        {"spdlog", header("(spdlog|fmt)/.*")},
        {"toml", header("toml\\+\\+/.*|toml\\.hpp")},
        {"cli", header("CLI/.*")},
        {"hiredis", header("hiredis/.*")},
        {"curl", header("curl/.*")},
        {"prometheus", header("prometheus/.*")},
        {"simdjson", header("simdjson\\.h")},
        {"soci", header("soci/.*")},
        {"sndfile", header("sndfile\\.(h|hh)")},
        {"speex", header("speex/.*")},
        {"webrtc", header("webrtc/.*")},
        {"opus", header("opus/.*|opus\\.h")},
        {"portaudio", header("portaudio\\.h")},
        {"readerwriterqueue", header("readerwriterqueue/.*|readerwriterqueue\\.h")},
        {"pocketsphinx", header("(pocketsphinx|sphinxbase)/.*|pocketsphinx\\.h")},
        {"flite", header("flite/.*")},
    };
    return table;
}

/// <vector>, <cstdint>, and what operating systems bring.
bool isStandardOrSystem(const std::string& header)
{
    static const std::regex pattern(
        "[a-z_0-9]+|(sys|netinet|arpa|linux|net)/[a-z_]+\\.h"
        "|(unistd|fcntl|signal|poll|termios|dlfcn|pthread|sched|time|stdio|stdlib|string|errno|windows|winsock2|ws2tcpip|bcrypt|io)\\.h",
        std::regex::optimize);
    return std::regex_match(header, pattern);
}

bool isIn(std::string_view path, std::string_view folder)
{
    return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

const Room* roomOf(std::string_view file)
{
    const Room* best = nullptr;
    for (const Room& room : rooms()) {
        if (isIn(file, room.folder) && (best == nullptr || room.folder.size() > best->folder.size())) {
            best = &room;
        }
    }
    return best;
}

bool contains(const std::vector<std::string_view>& list, std::string_view item)
{
    return std::find(list.begin(), list.end(), item) != list.end();
}

/// A main.cpp, and what app/ holds at its root, composes: it may see every room.
bool isComposition(std::string_view file)
{
    return file.ends_with("/main.cpp");
}

std::string refuseOurs(std::string_view file, std::string_view target)
{
    if (target.find("..") != std::string_view::npos) {
        return "paths start at the repository root";
    }
    const std::size_t inner = target.find("/internal/");
    // What is measured by stages is looked into.
    const bool isMeasurement = isIn(file, "bench");
    if (inner != std::string_view::npos && !isMeasurement && !isIn(file, target.substr(0, inner))) {
        return "internal/ is nobody else's business";
    }
    const Room* from = roomOf(file);
    const Room* to = roomOf(target);
    if (to == nullptr) {
        return "paths start at the repository root, and this leads to no room of the table";
    }
    if (from == to || isComposition(file)) {
        return {};
    }
    if (from == nullptr || !contains(from->ours, to->folder)) {
        return "no arrow leads to " + std::string(to->folder);
    }
    return {};
}

std::string refuseForeign(std::string_view file, const std::string& header)
{
    if (isStandardOrSystem(header)) {
        return {};
    }
    for (const Library& library : libraries()) {
        if (!std::regex_match(header, library.header)) {
            continue;
        }
        const Room* from = roomOf(file);
        if (from == nullptr || !contains(from->libraries, library.name)) {
            return std::string(library.name) + " is not for this folder";
        }
        if (header == "nlohmann/json.hpp" && file.ends_with(".h")) {
            return "headers take nlohmann/json_fwd.hpp: the whole costs every includer a second";
        }
        return {};
    }
    return "a library that the table does not know";
}

std::vector<Finding> checkFile(const fs::path& path, const std::string& name, int& includes)
{
    static const std::regex directive("^\\s*#\\s*include\\s*(<[^>]+>|\"[^\"]+\").*", std::regex::optimize);
    std::vector<Finding> findings;
    std::ifstream input(path);
    std::string line;
    for (int number = 1; std::getline(input, line); ++number) {
        // The pattern is dear, and most lines are not directives.
        if (line.find('#') == std::string::npos) {
            continue;
        }
        std::smatch match;
        if (!std::regex_match(line, match, directive)) {
            continue;
        }
        ++includes;
        if (std::string reason = refusal(name, match.str(1)); !reason.empty()) {
            findings.push_back({name, number, match.str(1), std::move(reason)});
        }
    }
    return findings;
}

} // namespace

std::string refusal(std::string_view file, std::string_view include)
{
    const std::string target(include.substr(1, include.size() - 2));
    if (include.front() == '<') {
        return refuseForeign(file, target);
    }
    // What moc writes lies beside the object file.
    if (target.ends_with(".moc") && target.find('/') == std::string::npos) {
        return {};
    }
    return refuseOurs(file, target);
}

Report checkTree(const fs::path& root)
{
    Report report;
    for (const std::string_view folder : {"core", "audio", "net", "broker", "agent", "app", "ui", "bench"}) {
        const fs::path top = root / folder;
        if (!fs::is_directory(top)) {
            continue;
        }
        for (const auto& entry : fs::recursive_directory_iterator(top)) {
            const std::string extension = entry.path().extension().string();
            if (!entry.is_regular_file() || (extension != ".h" && extension != ".cpp" && extension != ".hpp")) {
                continue;
            }
            ++report.files;
            const std::string name = fs::relative(entry.path(), root).generic_string();
            for (Finding& finding : checkFile(entry.path(), name, report.includes)) {
                report.findings.push_back(std::move(finding));
            }
        }
    }
    return report;
}

} // namespace vivavoce::layers
