#include "app/cli/devices_command.h"

#include "app/cli/sound_devices.h"
#include "core/base/clock.h"
#include "core/base/error.h"

#include <nlohmann/json.hpp>

namespace vivavoce::cli {

int runDevices(const DevicesOptions& options)
{
    core::SystemClock clock;
    EventWriter events(clock, options.format);
    return tellDevices(events, findSoundDevices(options.backend));
}

int tellDevices(EventWriter& events, const std::vector<core::SoundDevice>& found)
{
    for (const core::SoundDevice& device : found) {
        const bool isCapture = device.direction == core::SoundDirection::Capture;
        events.write("device",
            {{"direction", isCapture ? "capture" : "playback"}, {"id", device.id}, {"name", device.name},
                {"default", device.isDefault}});
        events.say(std::string(isCapture ? "microphone   " : "loudspeaker  ") + (device.isDefault ? "* " : "  ")
            + device.name);
        events.say("                 " + device.id);
    }
    const int exitCode = found.empty() ? core::exitCode(core::ErrorCode::SoundFailed) : 0;
    if (found.empty()) {
        events.write("error",
            {{"code", core::codeText(core::ErrorCode::SoundFailed)}, {"message", "there is no sound device"},
                {"fatal", true}});
        events.say("There is no sound device.");
    }
    events.write("summary", {{"exitCode", exitCode}});
    return exitCode;
}

} // namespace vivavoce::cli
