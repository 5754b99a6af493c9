#pragma once

#include <cstddef>
#include <memory>

namespace vivavoce::net {

/// What one dial leaves to the next ones to the same places: the trusted certificates, read again only when their file has changed; the last TLS session with each host, which
/// spares a handshake its certificates; and for a minute where a host is. Never a connection.
/// Threads: [any thread]. Lifetime: shared by requests.
class DialMemory {
public:
    DialMemory();
    ~DialMemory();
    DialMemory(const DialMemory&) = delete;
    DialMemory& operator=(const DialMemory&) = delete;

    /// Handshakes that went on from a session that was known.
    [[nodiscard]] std::size_t resumed() const;

    struct State;
    [[nodiscard]] State& state() const { return *m_state; }

private:
    std::shared_ptr<State> m_state;
};

} // namespace vivavoce::net
