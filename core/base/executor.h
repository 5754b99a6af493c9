#pragma once

#include "core/base/units.h"

#include <functional>
#include <memory>

namespace vivavoce::core {

/// A pending timer; destroying it cancels it.
class Timer {
public:
    virtual ~Timer() = default;
};

/// Port: where work runs later. One executor is one thread of control: what it runs never overlaps.
class Executor {
public:
    virtual ~Executor() = default;
    /// Runs `work` later, never from within the call. [any thread]
    virtual void post(std::function<void()> work) = 0;
    /// Runs `work` once after `delay` unless the timer is destroyed first. [the executor's own thread]
    [[nodiscard]] virtual std::unique_ptr<Timer> after(Milliseconds delay, std::function<void()> work) = 0;
};

} // namespace vivavoce::core
