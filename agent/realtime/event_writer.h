#pragma once

#include "agent/realtime/event_fault.h"
#include "core/protocol/openai/server_events.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

namespace vivavoce::agent::realtime {

/// Server events on their way out, in order: gives each its event_id, and holds what the socket does not take yet.
/// Not bounded by itself: replies stop being made above kReplyBacklog, and nothing more is read from a client above kReadBacklog.
/// Threads: [net], the session's executor.
class EventWriter {
public:
    static constexpr std::size_t kReplyBacklog = 256 * 1024;
    static constexpr std::size_t kReadBacklog = 1024 * 1024;

    struct Closing {
        std::uint16_t code = 1000;
        std::string reason;
    };

    /// After close() nothing more is taken.
    void send(core::openai::ServerEvent event);
    /// The `error` event for a fault, naming the client's event where it had an id.
    void sendError(const EventFault& fault, const std::string& clientEventId = {});
    /// Closes once all before has been sent.
    void close(std::uint16_t code, std::string reason);

    /// Called whenever there is something new to take.
    void onWake(std::function<void()> wake) { m_wake = std::move(wake); }
    [[nodiscard]] std::optional<std::string> take();
    /// Set once everything before it was taken.
    [[nodiscard]] const std::optional<Closing>& closing() const { return m_closing; }
    [[nodiscard]] bool isEmpty() const { return m_queue.empty(); }
    /// Bytes not taken yet.
    [[nodiscard]] std::size_t backlog() const { return m_bytes; }

private:
    std::function<void()> m_wake;
    std::deque<std::string> m_queue;
    std::size_t m_bytes = 0;
    std::optional<Closing> m_closing;
};

} // namespace vivavoce::agent::realtime
