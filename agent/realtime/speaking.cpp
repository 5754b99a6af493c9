#include "agent/realtime/speaking.h"

#include "agent/realtime/wire_audio.h"

#include <utility>

namespace vivavoce::agent::realtime {

namespace {

constexpr std::size_t kFirstChunkMs = 40;
constexpr std::size_t kChunkMs = 100;

} // namespace

core::Expected<void, core::Error> speakSentence(Voice& voice, std::string_view sentence, const SpeakingStyle& style,
    WireFormat format, std::stop_token stop, const std::function<void(core::Bytes)>& onChunk)
{
    auto encoder = WireEncoder::create(voice.rate(), format);
    if (!encoder) {
        return core::Unexpected<core::Error>(encoder.error());
    }
    core::Bytes waiting;
    std::size_t wanted = kFirstChunkMs * bytesPerMillisecond(format);
    const auto flush = [&] {
        onChunk(std::exchange(waiting, {}));
        wanted = kChunkMs * bytesPerMillisecond(format);
    };
    const auto take = [&](core::Bytes bytes) {
        waiting.insert(waiting.end(), bytes.begin(), bytes.end());
        if (waiting.size() >= wanted) {
            flush();
        }
    };
    auto spoken = voice.speak(sentence, style, [&](std::span<const std::int16_t> samples) {
        if (!stop.stop_requested()) {
            take((*encoder)->encode(samples));
        }
        return !stop.stop_requested();
    });
    if (!spoken || stop.stop_requested()) {
        return spoken;
    }
    take((*encoder)->finish());
    if (!waiting.empty()) {
        flush();
    }
    return {};
}

} // namespace vivavoce::agent::realtime
