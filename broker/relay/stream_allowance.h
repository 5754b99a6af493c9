#pragma once

#include "broker/relay/rate_window.h"
#include "core/base/units.h"

#include <mutex>

namespace vivavoce::broker::relay {

/// What the client of a session may still send in this minute, over whichever connections.
/// Threads: [any thread].
class StreamAllowance {
public:
    /// 0: any amount.
    StreamAllowance(std::uint64_t messagesPerMinute, core::Milliseconds audioPerMinute)
        : m_messages(messagesPerMinute), m_audio(static_cast<std::uint64_t>(audioPerMinute.count()))
    {
    }

    /// One message with so much sound in it. False: it is too much.
    [[nodiscard]] bool take(core::Milliseconds audio, core::MonotonicTime now)
    {
        const std::lock_guard lock(m_mutex);
        return m_messages.take(1, now) && m_audio.take(static_cast<std::uint64_t>(audio.count()), now);
    }
    /// Nothing was taken for a minute: a new one would be the same.
    [[nodiscard]] bool isWhole(core::MonotonicTime now)
    {
        const std::lock_guard lock(m_mutex);
        return m_messages.isEmpty(now) && m_audio.isEmpty(now);
    }

private:
    std::mutex m_mutex;
    RateWindow m_messages;
    RateWindow m_audio;
};

} // namespace vivavoce::broker::relay
