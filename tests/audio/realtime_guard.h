#pragma once

namespace vivavoce::tests {

/// While this is linked, whatever allocates, frees, locks or logs within an rt::RealtimeScope aborts the program.
/// (It replaces the C library's functions in this program; a sanitizer has done so before, and then it cannot.)
[[nodiscard]] bool isRealtimeGuarded();

} // namespace vivavoce::tests
