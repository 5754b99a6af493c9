#pragma once

#include <functional>
#include <memory>

namespace vivavoce::platform {

/// Ctrl-C, SIGTERM and the end of the terminal (SIGHUP), told on the thread that made it, whose event loop has to run. Another one,
/// half a second later or more, ends the program at once, as it would without us.
/// Lifetime: one at a time.
class InterruptSignal {
public:
    explicit InterruptSignal(std::function<void()> interrupted);
    ~InterruptSignal();
    InterruptSignal(const InterruptSignal&) = delete;
    InterruptSignal& operator=(const InterruptSignal&) = delete;

    /// One has come, which the event loop may know nothing of yet.
    [[nodiscard]] static bool hasCome();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace vivavoce::platform
