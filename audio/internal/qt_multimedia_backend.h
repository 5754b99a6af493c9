#pragma once

#include "audio/audio_backend.h"

#include <functional>
#include <memory>

namespace vivavoce::audio {

/// Qt Multimedia. A thread of this backend's, with Qt's event loop, is the device thread.
/// Needs a QCoreApplication.
[[nodiscard]] std::unique_ptr<AudioBackend> makeQtMultimediaBackend();
/// Qt's connection to the sound server lives in the thread that first asks for it, and finds a server that was restarted only with that
/// thread's event loop. Call it on the main thread, before anything else here.
void prepareQtMultimedia();

/// Watches for devices that come and go, or a default that moves. `changed` is called on the thread that made it, which has to have
/// an event loop of Qt's; it says whether there is a microphone: one that is not the echo of a loudspeaker.
class DeviceWatch {
public:
    virtual ~DeviceWatch() = default;
};
[[nodiscard]] std::unique_ptr<DeviceWatch> watchDevices(std::function<void(bool hasMicrophone)> changed);

} // namespace vivavoce::audio
