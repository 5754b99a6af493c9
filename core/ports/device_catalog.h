#pragma once

#include <functional>
#include <string>
#include <vector>

namespace vivavoce::core {

enum class SoundDirection { Capture, Playback };

/// One microphone or loudspeaker as the system names it.
struct SoundDevice {
    /// Stable across restarts as far as the system allows; opaque.
    std::string id;
    /// For people.
    std::string name;
    SoundDirection direction = SoundDirection::Capture;
    /// What the system uses where nobody chooses.
    bool isDefault = false;

    bool operator==(const SoundDevice&) const = default;
};

/// Port: which sound devices there are, now.
/// Threads: the executor's own thread.
class DeviceCatalog {
public:
    virtual ~DeviceCatalog() = default;
    /// The default one first, then in the system's order. Empty: there is none.
    [[nodiscard]] virtual std::vector<SoundDevice> devices(SoundDirection direction) const = 0;
    /// `changed` is called after devices came, went, or the default moved; one listener, never from within a call.
    virtual void watch(std::function<void()> changed) = 0;
};

} // namespace vivavoce::core
