#pragma once

#include "core/base/units.h"
#include "net/websocket_session.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vivavoce::broker::relay {

/// What becomes of a client's message.
struct Verdict {
    enum class Kind {
        Pass,
        /// It goes nowhere and the client is told, in the protocol's own words; the session goes on.
        Refuse,
        /// Two readers could see two different things in it, it cannot be read, or the protocol has no words for a refusal: the session ends.
        End
    };
    Kind kind = Kind::Pass;
    /// Stable, for Refuse and End.
    std::string_view code;
    /// What was not allowed ("session.voice"), for Refuse and End.
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
    /// There may be something in it that was typed, or that says how much of an answer was heard.
    bool mayHoldWords = false;
    /// It is what a response that is under way has waited for.
    bool isWaitedFor = false;

    [[nodiscard]] static Verdict end(std::string_view code, std::string field = {})
    {
        Verdict verdict;
        verdict.kind = Kind::End;
        verdict.code = code;
        verdict.field = std::move(field);
        return verdict;
    }
    [[nodiscard]] static Verdict tooBig()
    {
        Verdict verdict = end("message_too_big");
        verdict.isTooBig = true;
        return verdict;
    }
};

/// Port: reads the messages of one stream's client, each whole and as strictly as any reader could, and holds them against the session's
/// locks. Never changes one. One for each protocol.
/// Threads: one at a time.
class ClientCheck {
public:
    virtual ~ClientCheck() = default;

    /// The message's text may move: a reader wants room behind it.
    [[nodiscard]] virtual Verdict look(net::WebSocketMessage& message) = 0;
    /// How the client is told that something was refused. Nothing: the protocol has no words for it.
    [[nodiscard]] virtual std::optional<std::string> refusal(const Verdict& verdict) const = 0;
    /// Of the input, as the provider has it: 48 for 24 kHz PCM, 8 for G.711. For protocols whose messages do not say it themselves.
    virtual void setBytesPerMillisecond(std::size_t /*bytes*/) {}
};

} // namespace vivavoce::broker::relay
