#pragma once

#include "core/base/units.h"
#include "net/body_writer.h"
#include "net/timer.h"
#include "net/websocket_session.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::relay {

/// A client that cannot hold a WebSocket: what it posts is what it says, and what it is told is numbered and kept until it listens, as
/// server-sent events. Who comes again with the number of the last event that they have had misses nothing that is still kept.
/// Invariant: at most `queueBytes`, and one message, wait on each way, and as much is kept of what was fetched.
/// Threads: its executor, but for what is marked. Lifetime: shared by the stream and by requests.
class PostedClient final : public net::WebSocketSession, public std::enable_shared_from_this<PostedClient> {
public:
    struct Limits {
        std::size_t queueBytes = 4 * 1024 * 1024;
        /// Nobody has listened or said anything for so long: the client is gone.
        core::Milliseconds silence{60'000};
        /// A comment goes to who listens while there is nothing to tell.
        core::Milliseconds heartbeat{15'000};
    };

    /// As "name-7".
    struct EventId {
        std::string stream;
        std::uint64_t number = 0;
    };

    /// `executor` is what it runs on, `name` what tells its events from those of the session's other streams.
    PostedClient(net::IoExecutor executor, Limits limits, std::string name);

    /// Says these in order, all of them or none; waits while too much is unsaid. False: the stream has ended. [any thread]
    [[nodiscard]] net::Awaitable<bool> say(std::vector<std::string> messages);
    /// Writes what is told from after the event `lastSeen`, or else from what nobody has fetched yet, until the stream's end; all that is kept
    /// where that was another stream's. Whoever listens next takes the place of who does. [any thread]
    [[nodiscard]] net::Awaitable<> tell(net::BodyWriter& body, std::optional<EventId> lastSeen);
    /// Ends it from our side, and has that told. [any thread]
    void hangUp(net::WebSocketClose close);
    /// Until all has been fetched, for at most `patience`.
    [[nodiscard]] net::Awaitable<> farewell(core::Milliseconds patience);
    /// [any thread]
    [[nodiscard]] bool isOver() const { return m_isOver; }

    [[nodiscard]] net::IoExecutor executor() const override { return m_executor; }
    net::Awaitable<core::Expected<net::WebSocketMessage, net::WebSocketClose>> read() override;
    net::Awaitable<bool> send(std::string text) override;
    /// As text: the protocols that go through here are JSON, whatever the frame.
    net::Awaitable<bool> sendBinary(std::string bytes) override;
    /// Waits for nobody.
    net::Awaitable<> close(
        std::uint16_t code, std::string reason, core::Milliseconds patience = core::Milliseconds{1000}) override;
    [[nodiscard]] std::size_t queuedBytes() const override { return m_unfetchedBytes; }

private:
    struct Event {
        std::uint64_t id = 0;
        std::string text;
    };
    /// What a listener gets at a time.
    struct Batch {
        std::string text;
        bool isLast = false;
    };

    [[nodiscard]] net::Awaitable<bool> sayHere(std::vector<std::string> messages);
    /// Names the listener.
    [[nodiscard]] net::Awaitable<std::uint64_t> beginListening(std::optional<EventId> lastSeen);
    [[nodiscard]] net::Awaitable<Batch> next(std::uint64_t listener);
    void leave(std::uint64_t listener);
    [[nodiscard]] Batch fetch();
    void add(std::string_view name, std::string_view data);
    void finish(net::WebSocketClose close);
    /// Wakes whoever waits for a change.
    void ring() { m_bell.cancel(); }
    [[nodiscard]] net::Awaitable<> change();
    /// The same, and no longer than that.
    [[nodiscard]] net::Awaitable<> change(core::Milliseconds patience);

    const net::IoExecutor m_executor;
    const Limits m_limits;
    const std::string m_name;
    /// Never runs out.
    net::Timer m_bell;
    std::deque<std::string> m_said;
    std::size_t m_saidBytes = 0;
    std::deque<Event> m_events;
    std::uint64_t m_lastId = 0;
    /// Up to this one they have been fetched by somebody; up to that one by who listens.
    std::uint64_t m_fetched = 0;
    std::uint64_t m_cursor = 0;
    std::size_t m_unfetchedBytes = 0;
    std::size_t m_fetchedBytes = 0;
    std::uint64_t m_listener = 0;
    bool m_isHeard = false;
    std::chrono::steady_clock::time_point m_lastSign = std::chrono::steady_clock::now();
    std::optional<net::WebSocketClose> m_end;
    std::atomic<bool> m_isOver{false};
    /// Nobody waits for its last words.
    bool m_isAbandoned = false;
};

} // namespace vivavoce::broker::relay
