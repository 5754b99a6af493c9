#pragma once

namespace vivavoce::tests {

#if defined(__SANITIZE_THREAD__)
#define VV_UNDER_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VV_UNDER_THREAD_SANITIZER 1
#endif
#endif

/// Clang 14's ThreadSanitizer ends a program in which Qt starts a process (Qt's bare clone() leaves it without its thread's state).
/// Such tests skip themselves there.
#ifdef VV_UNDER_THREAD_SANITIZER
inline constexpr bool kCanStartProcesses = false;
#else
inline constexpr bool kCanStartProcesses = true;
#endif

} // namespace vivavoce::tests
