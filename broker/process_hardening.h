#pragma once

namespace vivavoce::broker {

/// core::occupyStandardStreams, core::hideProcessMemory, and as many open files as the process is allowed. Call it first in main.
void hardenProcess();

} // namespace vivavoce::broker
