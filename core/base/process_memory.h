#pragma once

#include <string>
#include <string_view>

namespace vivavoce::core {

/// Whether the limit of core dumps can be lifted for a child (ChildCoreLimit).
enum class CoreLimit { Final, Liftable };

/// Keeps what is in our memory out of core dumps and away from debuggers of the same user, where the platform can do that. First
/// thing in `main`, before a secret is read. Every Unix: RLIMIT_CORE 0; Linux: PR_SET_DUMPABLE 0.
void hideProcessMemory(CoreLimit limit = CoreLimit::Final);

/// While it lives, what is started has the limit of core dumps that we were started with: a browser or a tool is no secret of ours. On Linux
/// nothing of us is dumped meanwhile either. It does nothing where the limit is final.
class ChildCoreLimit {
public:
    ChildCoreLimit();
    ~ChildCoreLimit();
    ChildCoreLimit(const ChildCoreLimit&) = delete;
    ChildCoreLimit& operator=(const ChildCoreLimit&) = delete;
};

/// Has the C library overwrite all memory that is freed, that of libraries too, which copy what they are given and wipe nothing. glibc reads how
/// it is to work when a program starts, so this one is started again, once, with the same process id, arguments and environment. Before
/// anything else in `main`, hideProcessMemory() too. Where it cannot be had (another C library, a sanitizer, a program with privileges of its
/// own), nothing happens. docs/security.md says what it costs.
void wipeFreedMemory(char** argv);

/// The variable that tells glibc so from the start, for a child of ours: its value, beside what `tunables` has of it already.
inline constexpr const char* kTunablesVariable = "GLIBC_TUNABLES";
[[nodiscard]] std::string tunablesThatWipe(std::string_view tunables);

} // namespace vivavoce::core
