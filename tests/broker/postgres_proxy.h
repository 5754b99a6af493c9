#pragma once

#include "tests/broker/broker_harness.h"

#include <atomic>
#include <memory>
#include <string>

namespace vivavoce::tests {

/// Between a broker and its PostgreSQL, on loopback: loses what the test wants to be lost.
class PostgresProxy {
public:
    /// `folder` is where the server's socket lies.
    PostgresProxy(NetThreads& threads, std::string folder);
    ~PostgresProxy();
    PostgresProxy(const PostgresProxy&) = delete;
    PostgresProxy& operator=(const PostgresProxy&) = delete;

    [[nodiscard]] std::string url() const;
    /// The server commits the next transaction, and the connection is lost before it can say so.
    void loseNextCommit() { m_state->losesCommit = true; }
    [[nodiscard]] bool hasLost() const { return !m_state->losesCommit; }
    /// The server commits the next transaction, and says so only after `release`.
    void holdNextCommit();
    void release();

private:
    struct State {
        std::atomic<bool> losesCommit{false};
        std::atomic<bool> holdsCommit{false};
        std::shared_ptr<broker::Flight> gate;
    };
    struct Pair;
    struct Listener;
    static net::Awaitable<> accept(
        std::shared_ptr<Listener> listener, std::shared_ptr<State> state, std::string folder);
    static net::Awaitable<> toServer(std::shared_ptr<Pair> pair, std::shared_ptr<State> state);
    static net::Awaitable<> toClient(std::shared_ptr<Pair> pair);

    const std::shared_ptr<State> m_state = std::make_shared<State>();
    std::shared_ptr<Listener> m_listener;
};

} // namespace vivavoce::tests
