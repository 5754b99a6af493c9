#include "audio/internal/device_streams.h"

#include <algorithm>
#include <utility>

namespace vivavoce::audio {
namespace {

/// Half a second at the highest rate there is.
constexpr std::size_t kRingSamples = 96'000;
/// 5 ms at 48 kHz: no click, and no delay that a person notices.
constexpr std::size_t kRampFrames = 240;
/// What the worker may come late.
constexpr core::Milliseconds kSlack{15};

core::Milliseconds durationOf(std::size_t frames, core::SampleRate rate)
{
    return core::FrameCount{static_cast<std::int64_t>(frames)}.duration(rate);
}

} // namespace

std::string servingDevice(
    const std::vector<core::SoundDevice>& devices, core::SoundDirection direction, const std::string& wanted)
{
    // The default is the first.
    std::string serving;
    for (const core::SoundDevice& device : devices) {
        if (device.direction == direction && (serving.empty() || (!wanted.empty() && device.id == wanted))) {
            serving = device.id;
        }
    }
    return serving;
}

core::Expected<CaptureLine, core::Error> CaptureLine::open(AudioBackend& backend, const std::string& deviceId)
{
    CaptureLine line;
    line.deviceId = deviceId;
    line.ring = std::make_unique<rt::SampleRing>(kRingSamples);
    line.callback = std::make_unique<rt::CaptureCallback>(*line.ring);
    auto stream = backend.openCapture(deviceId, *line.callback);
    if (!stream) {
        return core::Unexpected<core::Error>(stream.error());
    }
    line.stream = std::move(*stream);
    auto chain = CaptureChain::create(line.stream->format().rate);
    if (!chain) {
        return core::Unexpected<core::Error>(chain.error());
    }
    line.chain.emplace(std::move(*chain));
    return line;
}

core::Milliseconds CaptureLine::delay() const
{
    const StreamFormat format = stream->format();
    return format.latency.duration(format.rate) + durationOf(ring->fill(), format.rate);
}

core::Milliseconds CaptureLine::waiting() const
{
    return durationOf(ring->fill(), stream->format().rate);
}

core::Milliseconds CaptureLine::takeDropped()
{
    const std::uint64_t now = callback->dropped();
    const core::Milliseconds lost = durationOf(now - dropped, stream->format().rate);
    // What is less than a millisecond waits for more.
    dropped = lost.count() > 0 ? now : dropped;
    return lost;
}

void CaptureLine::count(SoundFaults& faults)
{
    const std::uint64_t now = callback->overruns();
    faults.overruns += now - std::exchange(overruns, now);
}

core::Expected<PlaybackLine, core::Error> PlaybackLine::open(AudioBackend& backend, const std::string& deviceId)
{
    PlaybackLine line;
    line.deviceId = deviceId;
    line.ring = std::make_unique<rt::SampleRing>(kRingSamples);
    line.played = std::make_unique<rt::SampleRing>(kRingSamples);
    line.callback = std::make_unique<rt::PlaybackCallback>(*line.ring, kRampFrames, line.played.get());
    auto stream = backend.openPlayback(deviceId, *line.callback);
    if (!stream) {
        return core::Unexpected<core::Error>(stream.error());
    }
    line.stream = std::move(*stream);
    auto chain = PlaybackChain::create(line.stream->format().rate);
    if (!chain) {
        return core::Unexpected<core::Error>(chain.error());
    }
    line.chain.emplace(std::move(*chain));
    auto farEnd = FarEnd::create(line.stream->format().rate);
    if (!farEnd) {
        return core::Unexpected<core::Error>(farEnd.error());
    }
    line.farEnd.emplace(std::move(*farEnd));
    return line;
}

core::FrameCount PlaybackLine::ahead() const
{
    const core::SampleRate rate = stream->format().rate;
    const auto call = static_cast<std::int64_t>(callback->longestCall());
    const std::int64_t most = static_cast<std::int64_t>(ring->capacity()) / 2;
    return core::FrameCount{std::min(core::FrameCount::of(kSlack, rate).value() + call, most)};
}

void PlaybackLine::fill(PlayoutQueue& queue, rt::LevelMeter& meter)
{
    chain->fill(*ring, ahead(), queue, meter);
    if (!std::exchange(isFilled, true)) {
        // It could play nothing before there was something.
        starved = callback->starved();
    }
}

void PlaybackLine::count(SoundFaults& faults)
{
    const std::uint64_t missed = callback->underruns();
    faults.underruns += missed - std::exchange(underruns, missed);
    const std::uint64_t silent = callback->starved();
    faults.starved += durationOf(silent - std::exchange(starved, silent), stream->format().rate);
}

core::Milliseconds PlaybackLine::delay() const
{
    const StreamFormat format = stream->format();
    return format.latency.duration(format.rate);
}

} // namespace vivavoce::audio
