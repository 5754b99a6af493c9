// What it takes to write and read a provider's messages. One line of JSON for each kind: what it is, its text, nanoseconds for one of them.
// ./dev bench protocol sets the providers' own clients beside it. Figures of one run stand beside each other.
#include "bench/protocol/messages.h"
#include "core/base/json.h"
#include "core/protocol/gemini/codec.h"
#include "core/protocol/openai/codec.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace vivavoce;
using namespace vivavoce::bench;

namespace {

std::chrono::milliseconds g_time{300};
/// Nobody leaves out what is asked for at the end.
std::size_t g_sum = 0;

/// Nanoseconds of one call.
template <typename Work>
double took(Work work)
{
    using Clock = std::chrono::steady_clock;
    constexpr int kAtOnce = 200;
    for (int i = 0; i < kAtOnce; ++i) {
        g_sum += work();
    }
    const auto begin = Clock::now();
    std::int64_t calls = 0;
    Clock::duration lasted{};
    do {
        for (int i = 0; i < kAtOnce; ++i) {
            g_sum += work();
        }
        calls += kAtOnce;
        lasted = Clock::now() - begin;
    } while (lasted < g_time);
    return std::chrono::duration<double, std::nano>(lasted).count() / static_cast<double>(calls);
}

template <typename Work>
void tell(const char* provider, const char* event, bool isWritten, const std::string& text, Work work)
{
    const core::Json line{{"provider", provider}, {"event", event}, {"way", isWritten ? "write" : "read"},
        {"text", text}, {"nanoseconds", took(work)}};
    std::printf("%s\n", line.dump().c_str());
}

void ofOpenAi()
{
    const core::Bytes sound = spoken();
    const auto append = [&sound] { return core::openai::encode(core::openai::InputAudioBufferAppend{{}, sound}); };
    tell("openai", "input_audio_buffer.append", true, append(), [&] { return append().size(); });
    const auto read = [](const std::string& text) {
        return [&text] { return static_cast<std::size_t>(core::openai::decodeServerEvent(text).has_value()); };
    };
    const std::string delta = openaiAudioDelta();
    tell("openai", "response.output_audio.delta", false, delta, read(delta));
    const std::string done = openaiResponseDone();
    tell("openai", "response.done", false, done, read(done));
}

void ofGemini()
{
    const core::Bytes sound = spoken();
    const auto input = [&sound] {
        core::gemini::RealtimeInput message;
        message.audio = core::gemini::Blob{"audio/pcm;rate=24000", sound};
        return core::gemini::encode(core::gemini::ClientMessage(std::move(message)));
    };
    tell("gemini", "realtimeInput", true, input(), [&] { return input().size(); });
    const auto read = [](const std::string& text) {
        return [&text] { return static_cast<std::size_t>(core::gemini::decodeServerMessage(text).has_value()); };
    };
    const std::string audio = geminiAudio();
    tell("gemini", "serverContent", false, audio, read(audio));
    const std::string usage = geminiUsage();
    tell("gemini", "usageMetadata", false, usage, read(usage));
}

} // namespace

int main(int argc, char** argv)
{
    const int wished = argc == 2 ? std::atoi(argv[1]) : argc == 1 ? static_cast<int>(g_time.count()) : 0;
    if (wished <= 0) {
        std::fputs("usage: vivavoce-bench-protocol [MILLISECONDS]   for each kind of message (300)\n", stderr);
        return 2;
    }
    g_time = std::chrono::milliseconds(wished);
    ofOpenAi();
    ofGemini();
    return g_sum > 0 ? 0 : 1;
}
