#pragma once

#include "core/base/units.h"
#include "net/internal/boost.h"

#include <chrono>
#include <memory>

namespace vivavoce::net {

/// Ends a wait on a connection that takes too long, in one of two ways: `Close`, or `Cancel` where the connection is to stay, so that the
/// peer can be told 408. (Beast's own timeout closes the socket.)
/// Threads: the connection's executor. Lifetime: not longer than the socket; a pending bark outlives neither.
class Watchdog {
public:
    enum class Bite { Close, Cancel };

    explicit Watchdog(TcpSocket& socket, Bite bite = Bite::Close) : m_state(std::make_shared<State>(socket, bite)) {}
    ~Watchdog() { rest(); }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    void watch(core::Milliseconds patience)
    {
        m_state->isAwake = true;
        m_state->hasBarked = false;
        barkAfter(m_state, patience);
    }

    void rest()
    {
        m_state->isAwake = false;
        m_state->timer.cancel();
    }

    /// Whether the patience ran out, even if the wait had its result by then.
    [[nodiscard]] bool hasBarked() const { return m_state->hasBarked; }

private:
    struct State {
        State(TcpSocket& watched, Bite how) : socket(watched), bite(how), timer(watched.get_executor()) {}

        TcpSocket& socket;
        const Bite bite;
        Timer timer;
        bool isAwake = false;
        bool hasBarked = false;
    };

    static constexpr core::Milliseconds kAgain{100};

    static void barkAfter(const std::shared_ptr<State>& state, core::Milliseconds patience)
    {
        state->timer.expires_after(patience);
        state->timer.async_wait([state](const ErrorCode&) {
            // A wait that was called off can already be on its way here: the clock decides, not the error.
            if (!state->isAwake || state->timer.expiry() > std::chrono::steady_clock::now()) {
                return;
            }
            state->hasBarked = true;
            ErrorCode ignored;
            if (state->bite == Bite::Close) {
                state->isAwake = false;
                state->socket.close(ignored);
            } else {
                state->socket.cancel(ignored);
                // Between two steps of an operation there is nothing to cancel.
                barkAfter(state, kAgain);
            }
        });
    }

    std::shared_ptr<State> m_state;
};

} // namespace vivavoce::net
