#pragma once

#include "broker/relay/client_check.h"
#include "broker/relay/locks.h"
#include "broker/relay/session_beginning.h"
#include "broker/relay/stream_meter.h"
#include "broker/relay/transcript_keeper.h"

#include <memory>
#include <string>
#include <string_view>

namespace vivavoce::broker::relay {

/// What the relay knows of a provider's protocol: who reads a stream's messages, and what a post is made into.
/// Threads: [any thread].
class Protocol {
public:
    /// Of a connection's dialect (ConnectInfo): "gemini", and OpenAI Realtime otherwise.
    [[nodiscard]] static const Protocol& of(std::string_view dialect);

    virtual ~Protocol() = default;
    [[nodiscard]] virtual std::unique_ptr<ClientCheck> check(Locks locks) const = 0;
    [[nodiscard]] virtual std::unique_ptr<StreamMeter> meter(StreamMeter::Settings settings) const = 0;
    /// For a stream that is kept.
    [[nodiscard]] virtual std::unique_ptr<TranscriptKeeper> keeper(TranscriptKeeper::OnLine onLine) const = 0;
    /// Null: nothing is said in place of a session.
    [[nodiscard]] virtual std::unique_ptr<SessionBeginning> beginning() const = 0;
    /// What would end the stream of whoever says that; empty: nothing. The text may move.
    [[nodiscard]] virtual std::string_view faultOf(std::string& message) const = 0;
    /// A client's message with sound in the session's format.
    [[nodiscard]] virtual std::string soundMessage(std::string base64) const = 0;
};

} // namespace vivavoce::broker::relay
