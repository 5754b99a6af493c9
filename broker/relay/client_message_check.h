#pragma once

#include "broker/relay/locks.h"
#include "core/base/json.h"
#include "core/base/units.h"
#include "net/websocket_session.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker::relay {

/// What becomes of a client's message.
struct Verdict {
    enum class Kind {
        Pass,
        /// It goes nowhere and the client is told, by an error event; the session goes on.
        Refuse,
        /// Two readers could see two different things in it, or it cannot be read: the session ends.
        End
    };
    Kind kind = Kind::Pass;
    /// Stable, for Refuse and End.
    std::string_view code;
    /// What was not allowed ("session.voice"), for Refuse.
    std::string field;
    /// For people, for Refuse.
    std::string_view why;
    /// The client's own id of the event, where it has one, without escapes.
    std::string eventId;
    /// How much sound it carries.
    core::Milliseconds audio{0};
    /// For End: it is too big, and not wrong.
    bool isTooBig = false;
    /// The provider is to make a response of it.
    bool asksForResponse = false;
};

/// Reads each client's message whole, as strictly as any reader could, and holds it against the session's locks. Never changes one.
/// For the OpenAI Realtime protocol, both dialects.
/// Threads: one at a time.
class ClientMessageCheck {
public:
    explicit ClientMessageCheck(Locks locks) : m_locks(std::move(locks)) {}

    /// The message's text may move: a reader wants room behind it.
    [[nodiscard]] Verdict look(net::WebSocketMessage& message) const;
    /// Of the input, as the provider has it: 48 for 24 kHz PCM, 8 for G.711.
    void setBytesPerMillisecond(std::size_t bytes) { m_bytesPerMillisecond = bytes; }

private:
    [[nodiscard]] Verdict lookAtChange(std::string_view text, std::string_view type) const;
    /// Nothing: it may pass. `prefix` is where the event has it.
    [[nodiscard]] std::optional<Verdict> lookAtItem(const core::Json& item, const std::string& prefix) const;
    /// A session's or a response's.
    [[nodiscard]] std::optional<Verdict> lookAtSettings(const core::Json& settings, const std::string& prefix) const;

    const Locks m_locks;
    std::size_t m_bytesPerMillisecond = 48;
};

} // namespace vivavoce::broker::relay
