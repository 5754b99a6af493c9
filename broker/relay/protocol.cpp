#include "broker/relay/protocol.h"

#include "broker/relay/client_message_check.h"
#include "broker/relay/gemini_client_check.h"
#include "broker/relay/gemini_meter.h"
#include "broker/relay/gemini_transcript.h"
#include "broker/relay/message_scan.h"
#include "broker/relay/openai_transcript.h"
#include "broker/relay/session_meter.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::broker::relay {
namespace {

using core::Json;

class OpenAiProtocol final : public Protocol {
public:
    [[nodiscard]] std::unique_ptr<ClientCheck> check(Locks locks) const override
    {
        return std::make_unique<ClientMessageCheck>(std::move(locks));
    }
    [[nodiscard]] std::unique_ptr<StreamMeter> meter(StreamMeter::Settings settings) const override
    {
        return std::make_unique<SessionMeter>(std::move(settings));
    }
    [[nodiscard]] std::unique_ptr<TranscriptKeeper> keeper(TranscriptKeeper::OnLine onLine) const override
    {
        return std::make_unique<OpenAiTranscript>(std::move(onLine));
    }
    [[nodiscard]] std::unique_ptr<SessionBeginning> beginning() const override
    {
        return std::make_unique<SessionBeginning>();
    }
    [[nodiscard]] std::string_view faultOf(std::string& message) const override
    {
        return scanClientMessage(message).fault;
    }
    [[nodiscard]] std::string soundMessage(std::string base64) const override
    {
        return core::writeJson(Json{{"type", "input_audio_buffer.append"}, {"audio", std::move(base64)}});
    }
};

class GeminiProtocol final : public Protocol {
public:
    [[nodiscard]] std::unique_ptr<ClientCheck> check(Locks locks) const override
    {
        return std::make_unique<GeminiClientCheck>(std::move(locks));
    }
    [[nodiscard]] std::unique_ptr<StreamMeter> meter(StreamMeter::Settings settings) const override
    {
        return std::make_unique<GeminiMeter>(std::move(settings));
    }
    [[nodiscard]] std::unique_ptr<TranscriptKeeper> keeper(TranscriptKeeper::OnLine onLine) const override
    {
        return std::make_unique<GeminiTranscript>(std::move(onLine));
    }
    [[nodiscard]] std::unique_ptr<SessionBeginning> beginning() const override { return nullptr; }
    [[nodiscard]] std::string_view faultOf(std::string& message) const override
    {
        return scanGeminiMessage(message).fault;
    }
    [[nodiscard]] std::string soundMessage(std::string base64) const override
    {
        const Json sound{{"mimeType", "audio/pcm;rate=24000"}, {"data", std::move(base64)}};
        return core::writeJson(Json{{"realtimeInput", {{"audio", sound}}}});
    }
};

} // namespace

const Protocol& Protocol::of(std::string_view dialect)
{
    static const OpenAiProtocol openAi;
    static const GeminiProtocol gemini;
    return dialect == "gemini" ? static_cast<const Protocol&>(gemini) : openAi;
}

} // namespace vivavoce::broker::relay
