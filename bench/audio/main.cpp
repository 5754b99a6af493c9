// How good and how dear our sound is, without devices: echo return loss in made-up rooms, the user's voice in the echo, the delay of
// our own stages, and processor time. Figures of one run stand beside each other; the machine's noise does not touch the first two.
#include "audio/dsp/echo_canceller.h"
#include "audio/dsp/wav_file.h"
#include "audio/internal/capture_chain.h"
#include "audio/internal/playback_chain.h"
#include "audio/rt/playback_callback.h"
#include "bench/audio/echo_trial.h"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

using namespace vivavoce;
using namespace vivavoce::bench;

namespace {

constexpr std::size_t kRate = 48'000;
constexpr std::size_t kSeconds = 20;
constexpr dsp::EchoCanceller::Settings kEchoAlone{true, false, false};

std::vector<std::int16_t> repeated(const std::vector<std::int16_t>& once, std::size_t offset)
{
    std::vector<std::int16_t> samples(kSeconds * kRate);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        samples[i] = static_cast<std::int16_t>(once[(i + offset) % once.size()] / 2);
    }
    return samples;
}

/// Seconds until the echo is 25 dB down and stays so for half a second.
double convergence(const std::vector<double>& echo, const std::vector<std::int16_t>& out)
{
    const std::size_t step = kRate / 2;
    for (std::size_t at = 0; at + step <= out.size(); at += kRate / 10) {
        if (decibels(echo, at, at + step) > 60 && decibels(echo, at, at + step) - decibels(out, at, at + step) > 25) {
            return static_cast<double>(at) / kRate;
        }
    }
    return -1;
}

void echoes(const std::vector<std::int16_t>& voice)
{
    std::printf("%-34s %10s %10s %12s %10s\n", "room", "loss dB", "converged", "user's dB", "hint ms");
    const auto far = repeated(voice, 0);
    const auto near = repeated(voice, kRate * 5 / 4);
    const std::vector<double> quiet(far.size());
    const std::vector<std::int16_t> nobody(far.size());
    auto alone = dsp::EchoCanceller::create(kEchoAlone);
    const auto clean = runCanceller(*alone, nobody, quiet, near, core::Milliseconds{0});
    for (const double delay : {50.0, 100.0, 200.0}) {
        for (const double drift : {0.0, 200.0, -200.0}) {
            MadeUpRoom room;
            room.delayMs = delay;
            room.driftPpm = drift;
            const auto echo = room.echoOf(far);
            const core::Milliseconds hint{static_cast<core::Milliseconds::rep>(delay)};
            auto single = dsp::EchoCanceller::create(kEchoAlone);
            auto both = dsp::EchoCanceller::create(kEchoAlone);
            const auto out = runCanceller(*single, far, echo, {}, hint);
            const auto mixed = runCanceller(*both, far, echo, near, hint);
            const double loss =
                decibels(echo, 8 * kRate, kSeconds * kRate) - decibels(out, 8 * kRate, kSeconds * kRate);
            const std::string name = std::to_string(static_cast<int>(delay)) + " ms, drift "
                + std::to_string(static_cast<int>(drift)) + " ppm";
            std::printf("%-34s %10.1f %9.1fs %12.1f %10lld\n", name.c_str(), loss, convergence(echo, out),
                shareOf(clean, mixed, 8 * kRate), static_cast<long long>(hint.count()));
        }
    }
}

/// Milliseconds from a click going in to it coming out.
double delayOf(const std::vector<std::int16_t>& out, std::size_t clickAt, double rateIn, double rateOut)
{
    const auto loudest = std::max_element(
        out.begin(), out.end(), [](std::int16_t a, std::int16_t b) { return std::abs(int{a}) < std::abs(int{b}); });
    return 1000 * (static_cast<double>(loudest - out.begin()) / rateOut - static_cast<double>(clickAt) / rateIn);
}

std::vector<std::int16_t> burst(std::size_t total, std::size_t at)
{
    std::vector<std::int16_t> samples(total);
    for (std::size_t i = 0; i < 12; ++i) {
        samples[at + i] = i % 2 == 0 ? 20'000 : 12'000;
    }
    return samples;
}

void delays()
{
    std::printf("\n%-34s %12s %12s\n", "our stages, a click", "capture ms", "playback ms");
    for (const unsigned hz : {16'000U, 44'100U, 48'000U}) {
        const core::SampleRate rate{hz};
        auto chain = audio::CaptureChain::create(rate);
        auto processing = dsp::EchoCanceller::create({false, false, false});
        audio::rt::SampleRing ring(96'000);
        std::vector<std::int16_t> voice;
        const auto in = burst(hz / 2, hz / 4);
        for (std::size_t at = 0; at + hz / 100 <= in.size(); at += hz / 100) {
            ring.write(std::span(in).subspan(at, hz / 100));
            audio::rt::LevelMeter unread;
            chain->pump(ring, *processing, core::Milliseconds{0}, false, unread,
                [&](std::span<const std::int16_t> piece, std::span<const std::int16_t>, core::FrameCount) {
                    voice.insert(voice.end(), piece.begin(), piece.end());
                });
        }
        const double captureDelay = delayOf(voice, hz / 4, hz, core::kRealtimeRate.hz());

        auto playback = audio::PlaybackChain::create(rate);
        audio::PlayoutQueue queue(core::Milliseconds{0});
        audio::rt::SampleRing out(96'000);
        audio::rt::LevelMeter meter;
        queue.play("click", 0, burst(12'000, 6'000));
        std::vector<std::int16_t> played;
        for (int i = 0; i < 60; ++i) {
            playback->fill(out, core::FrameCount::of(core::Milliseconds{10}, rate), queue, meter);
            std::vector<std::int16_t> piece(hz / 100);
            piece.resize(out.read(piece));
            played.insert(played.end(), piece.begin(), piece.end());
        }
        const double playbackDelay = delayOf(played, 6'000, core::kRealtimeRate.hz(), hz);
        std::printf("%-34s %12.1f %12.1f\n", (std::to_string(hz) + " Hz device").c_str(), captureDelay, playbackDelay);
    }
}

void cost(const std::vector<std::int16_t>& voice)
{
    const auto far = repeated(voice, 0);
    const auto echo = MadeUpRoom().echoOf(far);
    const auto time = [&](dsp::EchoCanceller::Settings settings) {
        auto canceller = dsp::EchoCanceller::create(settings);
        const std::clock_t before = std::clock();
        static_cast<void>(runCanceller(*canceller, far, echo, {}, core::Milliseconds{100}));
        return 100.0 * static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC / static_cast<double>(kSeconds);
    };
    std::printf("\n%-34s %12s\n", "processor time, of one core", "percent");
    std::printf("%-34s %12.2f\n", "echo, noise and gain", time({true, true, true}));
    std::printf("%-34s %12.2f\n", "echo alone", time({true, false, false}));
    std::printf("%-34s %12.2f\n", "none of them", time({false, false, false}));
}

} // namespace

int main(int argc, char** argv)
{
    const std::string recording = argc > 1 ? argv[1] : "resources/recordings/question.wav";
    const auto voice = dsp::readWav(recording, dsp::EchoCanceller::kRate);
    if (!voice) {
        std::fprintf(stderr, "vivavoce-bench-audio: %s\nusage: vivavoce-bench-audio [SPEECH.wav]\n",
            voice.error().detail.c_str());
        return 2;
    }
    echoes(*voice);
    delays();
    cost(*voice);
    return 0;
}
