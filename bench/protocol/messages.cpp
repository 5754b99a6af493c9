#include "bench/protocol/messages.h"

#include <cmath>
#include <cstdint>

namespace vivavoce::bench {
namespace {

core::Bytes tone(std::size_t samples)
{
    constexpr double kStep = 0.061;
    constexpr double kLoud = 12'000;
    core::Bytes bytes;
    for (std::size_t i = 0; i < samples; ++i) {
        const auto phase = static_cast<double>(i) * kStep;
        const auto sample = static_cast<std::int16_t>(kLoud * std::sin(phase) * std::cos(phase / 7));
        bytes.push_back(static_cast<std::uint8_t>(sample & 0xff));
        bytes.push_back(static_cast<std::uint8_t>(static_cast<std::uint16_t>(sample) >> 8U));
    }
    return bytes;
}

} // namespace

core::Bytes spoken()
{
    return tone(960);
}

core::Bytes heard()
{
    return tone(2'400);
}

std::string openaiAudioDelta()
{
    return R"({"type":"response.output_audio.delta","event_id":"event_CbHq1v0R6aUPbGYq2m9xT","response_id":"resp_CbHq0AvhGXrO5sVt8u1Kd",)"
           R"("item_id":"item_CbHq0pW3dQdVxyE7S0cRf","output_index":0,"content_index":0,"delta":")"
        + core::encodeBase64(heard()) + R"(","obfuscation":"aK3fWq9Zt1"})";
}

std::string openaiResponseDone()
{
    return R"({"type":"response.done","event_id":"event_CbHq7b3oPpLZ2Tn0eKq5s","response":{"object":"realtime.response",)"
           R"("id":"resp_CbHq0AvhGXrO5sVt8u1Kd","status":"completed","status_details":null,"output":[{"id":"item_CbHq0pW3dQdVxyE7S0cRf",)"
           R"("object":"realtime.item","type":"message","status":"completed","role":"assistant","content":[{"type":"output_audio",)"
           R"("transcript":"Good morning. That is Mount Elbrus in the Caucasus, 5,642 metres high. If you draw the border of Europe further )"
           R"(north, it is Mont Blanc, with 4,806 metres."}]}],"conversation_id":"conv_CbHpvX1mF0jQk2tG9aLzR","output_modalities":["audio"],)"
           R"("max_output_tokens":"inf","audio":{"output":{"format":{"type":"audio/pcm","rate":24000},"voice":"marin"}},"metadata":null,)"
           R"("usage":{"total_tokens":1312,"input_tokens":992,"output_tokens":320,"input_token_details":{"text_tokens":180,)"
           R"("audio_tokens":812,"image_tokens":0,"cached_tokens":704,"cached_tokens_details":{"text_tokens":128,"audio_tokens":576,)"
           R"("image_tokens":0}},"output_token_details":{"text_tokens":64,"audio_tokens":256}}}})";
}

std::string geminiAudio()
{
    return R"({"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":")"
        + core::encodeBase64(heard()) + R"("}}]}}})";
}

std::string geminiUsage()
{
    return R"({"usageMetadata":{"promptTokenCount":1210,"responseTokenCount":264,"totalTokenCount":1538,"thoughtsTokenCount":64,)"
           R"("promptTokensDetails":[{"modality":"TEXT","tokenCount":310},{"modality":"AUDIO","tokenCount":900}],)"
           R"("responseTokensDetails":[{"modality":"AUDIO","tokenCount":250},{"modality":"TEXT","tokenCount":14}]}})";
}

} // namespace vivavoce::bench
