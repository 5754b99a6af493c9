#pragma once

#include "agent/ports.h"
#include "core/base/json.h"

#include <string>
#include <string_view>

/// The bodies of POST /v1/chat/completions, both ways. Pure. [any thread]
namespace vivavoce::agent::brain {

/// The request for a reply to `request`, streamed and with usage.
[[nodiscard]] std::string chatRequestBody(const BrainRequest& request, const std::string& model);

/// Puts a streamed reply together: text goes to the sink at once, calls when they are whole.
class ChatReply {
public:
    explicit ChatReply(BrainSink& sink) : m_sink(sink) {}

    /// Takes the data of one event; "[DONE]" ends. ProviderMalformed, ProviderFailed (an error object in the stream).
    [[nodiscard]] core::Expected<void, core::Error> take(std::string_view data);
    /// Hands over the calls. ProviderMalformed when there was neither text nor a call, when arguments are no JSON object, or when
    /// the stream broke off before its end.
    [[nodiscard]] core::Expected<std::optional<BrainUsage>, core::Error> finish();

    /// The sink wants no more.
    [[nodiscard]] bool isStopped() const { return m_isStopped; }
    [[nodiscard]] bool isDone() const { return m_isDone; }

private:
    struct Call {
        std::int64_t index = 0;
        std::string name;
        std::string arguments;
    };
    static constexpr std::size_t kMostCalls = 32;
    static constexpr std::size_t kMostArgumentBytes = 256 * 1024;

    core::Expected<void, core::Error> takeDelta(const core::Json& delta);
    core::Expected<void, core::Error> takeCall(const core::Json& part);

    BrainSink& m_sink;
    std::vector<Call> m_calls;
    std::optional<BrainUsage> m_usage;
    std::string m_finishReason;
    bool m_hasText = false;
    bool m_isDone = false;
    bool m_isStopped = false;
};

} // namespace vivavoce::agent::brain
