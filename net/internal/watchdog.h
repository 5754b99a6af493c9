#pragma once

#include "core/base/units.h"
#include "net/internal/boost.h"

#include <memory>

namespace vivavoce::net {

/// Ends a wait on a connection that takes too long, but leaves the connection open, so that the peer can be told 408.
/// (Beast's own timeout closes the socket.)
/// Threads: the connection's strand. Lifetime: not longer than the stream; a pending bark outlives neither.
class Watchdog {
public:
    explicit Watchdog(beast::tcp_stream& stream) : m_state(std::make_shared<State>(stream)) {}
    ~Watchdog() { rest(); }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    void watch(core::Milliseconds patience)
    {
        m_state->isAwake = true;
        m_state->hasBarked = false;
        m_state->timer.expires_after(patience);
        m_state->timer.async_wait([state = m_state](const ErrorCode&) {
            // A wait that was called off can already be on its way here: the clock decides, not the error.
            if (state->isAwake && state->timer.expiry() <= asio::steady_timer::clock_type::now()) {
                state->isAwake = false;
                state->hasBarked = true;
                state->stream.cancel();
            }
        });
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
        explicit State(beast::tcp_stream& watched) : stream(watched), timer(watched.get_executor()) {}

        beast::tcp_stream& stream;
        asio::steady_timer timer;
        bool isAwake = false;
        bool hasBarked = false;
    };
    std::shared_ptr<State> m_state;
};

} // namespace vivavoce::net
