#pragma once

#include "core/base/clock.h"
#include "core/base/executor.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace vivavoce::tests {

/// Time that passes as many times faster than outside, so that what waits for minutes is seen in moments, over real sockets.
class HurriedClock final : public core::Clock {
public:
    explicit HurriedClock(int times) : m_times(times) {}

    [[nodiscard]] core::MonotonicTime now() const override { return m_begin + passed(); }
    [[nodiscard]] core::WallTime wallNow() const override
    {
        return m_wallBegin + std::chrono::duration_cast<core::WallTime::duration>(passed());
    }
    [[nodiscard]] int times() const { return m_times; }

private:
    [[nodiscard]] core::MonotonicTime::duration passed() const
    {
        return (std::chrono::steady_clock::now() - m_begin) * m_times;
    }

    int m_times;
    core::MonotonicTime m_begin = std::chrono::steady_clock::now();
    core::WallTime m_wallBegin{std::chrono::seconds{1'800'000'000}};
};

/// Waits by that time, in another executor.
class HurriedExecutor final : public core::Executor {
public:
    HurriedExecutor(core::Executor& inner, int times) : m_inner(inner), m_times(times) {}

    void post(std::function<void()> work) override { m_inner.post(std::move(work)); }
    [[nodiscard]] std::unique_ptr<core::Timer> after(core::Milliseconds delay, std::function<void()> work) override
    {
        // Rounded up: what waits for the end of something does not wake before it.
        const auto hurried = (std::max(delay, core::Milliseconds{0}).count() + m_times - 1) / m_times;
        return m_inner.after(core::Milliseconds{hurried}, std::move(work));
    }

private:
    core::Executor& m_inner;
    int m_times;
};

} // namespace vivavoce::tests
