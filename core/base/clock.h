#pragma once

#include <chrono>

namespace vivavoce::core {

using MonotonicTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

/// Port: the two clocks. Deadlines are kept in monotonic time; wall time is only read from and shown to others.
/// [any thread]
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual MonotonicTime now() const = 0;
    [[nodiscard]] virtual WallTime wallNow() const = 0;
};

/// The clocks of this machine.
class SystemClock final : public Clock {
public:
    [[nodiscard]] MonotonicTime now() const override { return std::chrono::steady_clock::now(); }
    [[nodiscard]] WallTime wallNow() const override { return std::chrono::system_clock::now(); }
};

} // namespace vivavoce::core
