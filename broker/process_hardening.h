#pragma once

namespace vivavoce::broker {

/// Keeps what is in our memory out of core dumps and away from debuggers of the same user, where the platform can do that.
/// Lets the process have as many open files as it is allowed. Call it first in main. Linux: PR_SET_DUMPABLE 0; every Unix: RLIMIT_CORE 0.
void hardenProcess();

} // namespace vivavoce::broker
