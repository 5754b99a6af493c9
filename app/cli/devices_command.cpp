#include "app/cli/devices_command.h"

#include "app/cli/json_lines.h"
#include "app/platform/qt_executor.h"
#include "audio/audio_engine.h"
#include "core/base/clock.h"

#include <nlohmann/json.hpp>

#include <QEventLoop>

namespace vivavoce::cli {
namespace {

constexpr core::Milliseconds kPatience{10'000};

} // namespace

int runDevices(const DevicesOptions& options)
{
    core::SystemClock clock;
    platform::QtExecutor executor;
    EventWriter events(clock, options.format);
    audio::AudioEngine engine(executor, audio::backendOf(options.backend));

    QEventLoop loop;
    engine.watch([&loop] { loop.quit(); });
    const auto deadline = executor.after(kPatience, [&loop] { loop.quit(); });
    (void)engine.devices(core::SoundDirection::Capture);
    loop.exec();

    bool hasAny = false;
    for (const auto direction : {core::SoundDirection::Capture, core::SoundDirection::Playback}) {
        const bool isCapture = direction == core::SoundDirection::Capture;
        for (const core::SoundDevice& device : engine.devices(direction)) {
            hasAny = true;
            events.write("device",
                {{"direction", isCapture ? "capture" : "playback"}, {"id", device.id}, {"name", device.name},
                    {"default", device.isDefault}});
            events.say(std::string(isCapture ? "microphone   " : "loudspeaker  ") + (device.isDefault ? "* " : "  ")
                + device.name + "\n                 " + device.id);
        }
    }
    const int exitCode = hasAny ? 0 : core::exitCode(core::ErrorCode::SoundFailed);
    if (!hasAny) {
        events.write(
            "error", {{"code", core::codeText(core::ErrorCode::SoundFailed)}, {"detail", "there is no sound device"}});
        events.say("There is no sound device.");
    }
    events.write("summary", {{"exitCode", exitCode}});
    return exitCode;
}

} // namespace vivavoce::cli
