#pragma once

/// On every function that the device thread may run: it does not allocate, lock, wait, log or throw.
#if defined(__clang__) && __clang_major__ >= 20
#define VV_REALTIME noexcept [[clang::nonblocking]]
#else
#define VV_REALTIME noexcept
#endif

namespace vivavoce::audio::rt {

/// Marks the stretch of a thread that is the device's. Tests link a guard that aborts where anything within it allocates or locks.
class RealtimeScope {
public:
    RealtimeScope() VV_REALTIME { ++depth(); }
    ~RealtimeScope() { --depth(); }
    RealtimeScope(const RealtimeScope&) = delete;
    RealtimeScope& operator=(const RealtimeScope&) = delete;

    [[nodiscard]] static bool isOpen() VV_REALTIME { return depth() > 0; }

private:
    [[nodiscard]] static int& depth() VV_REALTIME
    {
        static thread_local constinit int depth = 0;
        return depth;
    }
};

} // namespace vivavoce::audio::rt
