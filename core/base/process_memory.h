#pragma once

namespace vivavoce::core {

/// Keeps what is in our memory out of core dumps and away from debuggers of the same user, where the platform can do that. First
/// thing in `main`, before a secret is read. Every Unix: RLIMIT_CORE 0; Linux: PR_SET_DUMPABLE 0.
void hideProcessMemory();

} // namespace vivavoce::core
