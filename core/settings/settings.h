#pragma once

#include "core/ports/voice_controls.h"

#include <string>

namespace vivavoce::core {

/// Where tokens come from.
enum class Profile {
    /// Not chosen yet: the first run.
    None,
    /// Our own broker and offline agent, started as children.
    ThisComputer,
    /// The broker at `brokerUrl`.
    Broker,
};

enum class TalkMode { OpenMic, PushToTalk };
enum class ColourScheme { System, Light, Dark };
enum class SoundBackend { PortAudio, QtMultimedia };

/// What a person has chosen. Never anything secret.
struct Settings {
    Profile profile = Profile::None;
    /// https://, or http:// to loopback.
    std::string brokerUrl;
    TalkMode talkMode = TalkMode::OpenMic;
    ColourScheme colourScheme = ColourScheme::System;
    bool isMotionReduced = false;
    DeviceChoice devices;
    SoundBackend soundBackend = SoundBackend::PortAudio;
    bool isEchoCancelled = true;
    bool isNoiseSuppressed = true;
    bool isGainAutomatic = true;
    /// What a conversation with a broker may cost, in US cents; 0: whatever it comes to.
    int spendLimitCents = 0;
    /// Of silence, after which a conversation is ended; 0: never.
    int idleMinutes = 10;

    bool operator==(const Settings&) const = default;
};

} // namespace vivavoce::core
