// A TOML file as the broker reads it. Operators write it, but it may also be made by a tool that is fed by others.
#include "broker/config.h"
#include "broker/config_problems.h"
#include "tests/fuzz/property.h"

#include <sys/mman.h>
#include <unistd.h>

using namespace vivavoce;

namespace {

/// A file in memory, with a path to it.
class MemoryFile {
public:
    explicit MemoryFile(std::string_view text) : m_fd(memfd_create("configuration", 0))
    {
        fuzz::require(
            m_fd >= 0 && write(m_fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "there is a file");
    }
    ~MemoryFile() { close(m_fd); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(m_fd); }

private:
    int m_fd;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const MemoryFile file(fuzz::textOf(data, size));
    broker::Overrides overrides;
    overrides.configFile = file.path();
    const auto config = broker::loadConfig(overrides, [](const char*) { return std::nullopt; });
    if (!config) {
        fuzz::require(fuzz::isTame(config.error().detail), "a bad configuration is told in one line");
        return 0;
    }
    const std::string printed = broker::printConfig(*config);
    const MemoryFile copy(printed);
    broker::Config again;
    broker::Problems problems;
    broker::readConfigFile(copy.path(), again, problems);
    fuzz::require(!problems.hasFault() || problems.firstFault().detail.find("not TOML") == std::string::npos,
        "what is printed is TOML");
    return 0;
}
