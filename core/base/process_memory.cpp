#include "core/base/process_memory.h"

#ifdef __linux__
#include <sys/auxv.h>
#include <sys/prctl.h>
#endif
#ifndef _WIN32
#include <sys/resource.h>
#include <unistd.h>
#endif

#include <array>
#include <climits>
#include <cstdlib>
#include <optional>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define VV_HAS_OTHER_MALLOC
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VV_HAS_OTHER_MALLOC
#endif

namespace vivavoce::core {
namespace {

/// What is freed is filled with the first; without the second the most recently freed blocks of each thread would be left as they are.
constexpr std::string_view kTunables = "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0";

#if defined(__GLIBC__) && !defined(VV_HAS_OTHER_MALLOC)

/// While we are started again: our process id, which no child of ours has, nor what a person has set by chance; a blank, and the tunables as
/// they were. glibc may change those in their place, so they are not to be read from there.
constexpr const char* kMarker = "VIVAVOCE_STARTED_AGAIN";

// NOLINTBEGIN(concurrency-mt-unsafe): there is one thread yet.

std::string variable(const char* name)
{
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

/// What we start is not to inherit either.
void restoreEnvironment(const std::string& tunables)
{
    unsetenv(kMarker);
    if (tunables.empty()) {
        unsetenv(kTunablesVariable);
    } else {
        setenv(kTunablesVariable, tunables.c_str(), 1);
    }
}

/// Returns where that does not work.
void startAgain(char** argv)
{
    // By its own name: it is what others see of the process.
    std::array<char, PATH_MAX> path{};
    const ssize_t size = readlink("/proc/self/exe", path.data(), path.size() - 1);
    if (size > 0) {
        execv(path.data(), argv);
    }
    // Without /proc, or replaced since: as we were started. The working folder is still the same.
    if (const auto* started = reinterpret_cast<const char*>(getauxval(AT_EXECFN))) {
        execv(started, argv);
    }
}

#endif

} // namespace

#ifndef _WIN32
namespace {

/// What it was before us, where it can be had back.
std::optional<rlim_t>& coreLimitBefore()
{
    static std::optional<rlim_t> limit;
    return limit;
}

void limitCores(rlim_t size)
{
    rlimit cores{};
    getrlimit(RLIMIT_CORE, &cores);
    cores.rlim_cur = size;
    setrlimit(RLIMIT_CORE, &cores);
}

} // namespace
#endif

void hideProcessMemory([[maybe_unused]] CoreLimit limit)
{
#ifndef _WIN32
    rlimit cores{};
    getrlimit(RLIMIT_CORE, &cores);
    if (limit == CoreLimit::Liftable) {
        coreLimitBefore() = cores.rlim_cur;
    } else {
        cores.rlim_max = 0;
    }
    cores.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &cores);
#endif
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

ChildCoreLimit::ChildCoreLimit()
{
#ifndef _WIN32
    if (const auto lifted = coreLimitBefore()) {
        limitCores(*lifted);
    }
#endif
}

ChildCoreLimit::~ChildCoreLimit()
{
#ifndef _WIN32
    if (coreLimitBefore()) {
        limitCores(0);
    }
#endif
}

std::string tunablesThatWipe(std::string_view tunables)
{
    std::string all(tunables);
    // Of two values glibc takes the last.
    return all.append(all.empty() ? "" : ":").append(kTunables);
}

void wipeFreedMemory([[maybe_unused]] char** argv)
{
#if defined(__GLIBC__) && !defined(VV_HAS_OTHER_MALLOC)
    const std::string self = std::to_string(getpid()) + ' ';
    if (const std::string marker = variable(kMarker); marker.starts_with(self)) {
        restoreEnvironment(marker.substr(self.size()));
        return;
    }
    // glibc tells a program with privileges nothing that its caller wants; one that the loader was named with would start the loader.
    if (getauxval(AT_SECURE) != 0 || getauxval(AT_BASE) == 0) {
        return;
    }
    const std::string before = variable(kTunablesVariable);
    setenv(kMarker, (self + before).c_str(), 1);
    setenv(kTunablesVariable, tunablesThatWipe(before).c_str(), 1);
    startAgain(argv);
    restoreEnvironment(before);
#endif
}

#if defined(__GLIBC__) && !defined(VV_HAS_OTHER_MALLOC)
// NOLINTEND(concurrency-mt-unsafe)
#endif

} // namespace vivavoce::core
