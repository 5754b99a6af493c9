#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vivavoce::net {

/// Whether the peer of a connection is still there, judged by what comes from it and by what it takes.
/// While nobody listens nothing can come, and nothing is said against the peer. What was written is a sign of life only once more of it
/// is gone than the kernel keeps: the rest has been acknowledged; so is what the peer is known to have taken, while more waits for it. So a peer at the end of a slow line, whose pong is behind a minute of
/// sound, is not taken for dead.
/// Pure; one thread at a time.
class SignsOfLife {
public:
    using Time = std::chrono::steady_clock::time_point;
    enum class Verdict { Fine, AskForOne, Dead };

    /// `kernelRoom`: the most bytes that may be written and not be acknowledged.
    SignsOfLife(std::chrono::steady_clock::duration silence, std::size_t kernelRoom, Time now)
        : m_silence(silence), m_kernelRoom(kernelRoom), m_last(now)
    {
    }

    void heard(Time now)
    {
        m_last = now;
        m_written = 0;
        m_hasAsked = false;
    }
    void wrote(std::size_t bytes, Time now)
    {
        m_written += bytes;
        if (m_written > m_kernelRoom) {
            heard(now);
        }
    }
    /// `inAll`: since the connection is there. Where nothing waits, it may be our ping that a dead peer's kernel has taken.
    void hasTaken(std::uint64_t inAll, bool isMoreWaiting, Time now)
    {
        if (isMoreWaiting && inAll > m_taken) {
            heard(now);
        }
        m_taken = inAll;
    }
    void listen(Time now)
    {
        m_isListening = true;
        m_last = now;
    }
    void stopListening() { m_isListening = false; }

    /// AskForOne comes once in a silence.
    [[nodiscard]] Verdict look(Time now)
    {
        if (!m_isListening || now - m_last < m_silence / 2) {
            return Verdict::Fine;
        }
        if (now - m_last >= m_silence) {
            return Verdict::Dead;
        }
        const bool isFirst = !m_hasAsked;
        m_hasAsked = true;
        return isFirst ? Verdict::AskForOne : Verdict::Fine;
    }

private:
    const std::chrono::steady_clock::duration m_silence;
    const std::size_t m_kernelRoom;
    Time m_last;
    std::size_t m_written = 0;
    std::uint64_t m_taken = 0;
    bool m_isListening = false;
    bool m_hasAsked = false;
};

} // namespace vivavoce::net
