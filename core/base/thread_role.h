#pragma once

#include <cassert>

namespace vivavoce::core {

/// What a thread is there for (docs/threads.md).
enum class ThreadRole : unsigned char { Unassigned, Main, Worker, Disk, Device };

/// The calling thread's. Whoever starts a thread assigns it; one that never got a role may call anything, as tests do.
inline ThreadRole& threadRole() noexcept
{
    static thread_local constinit ThreadRole role = ThreadRole::Unassigned;
    return role;
}

/// In builds with assertions: ends the program where a thread of another role calls.
inline void assertRole([[maybe_unused]] ThreadRole role) noexcept
{
    assert(threadRole() == role || threadRole() == ThreadRole::Unassigned);
}

} // namespace vivavoce::core
