#pragma once

#include "core/ports/tool_source.h"
#include "core/ports/voice_controls.h"
#include "core/settings/provider_choice.h"
#include "core/token/token_settings.h"

#include <map>
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

/// How the sound of a conversation is kept: small, or as it was.
enum class SoundFormat { OggOpus, Wav };

enum class ProxyChoice { System, None, Own };

/// How other computers are reached; this one always is directly.
struct NetworkChoice {
    ProxyChoice proxy = ProxyChoice::System;
    /// The own one: http://host:port or socks5://host:port.
    std::string proxyUrl;
    /// PEM: authorities that are trusted besides the system's. Empty: none.
    std::string caFile;

    bool operator==(const NetworkChoice&) const = default;
};

/// What a person has chosen. Never anything secret.
struct Settings {
    Profile profile = Profile::None;
    /// https://, or http:// to loopback.
    std::string brokerUrl;
    /// What is asked of it.
    ProviderChoice choice;
    /// Which project a conversation is for, by the broker's address: where an operator has given somebody one.
    std::map<std::string, std::string> projects;
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
    /// What all of them may cost in a month of UTC, likewise.
    int monthLimitCents = 0;
    /// Of silence, after which a conversation is ended; 0: never.
    int idleMinutes = 10;
    NetworkChoice network;
    /// Of what a broker gives.
    TokenSettings token;
    /// What was said is kept on this computer.
    bool keepsConversations = false;
    /// And with it the sound of both sides.
    bool recordsSound = false;
    SoundFormat soundFormat = SoundFormat::OggOpus;
    /// Which functions may run, by name, where a person has decided it; the others are as their source says.
    std::map<std::string, ToolPolicy> toolPolicies;
    /// A file of MCP servers. Empty: none.
    std::string mcpFile;
    /// Those that a person lets be started, by name: the fingerprint of what is started, so that another command asks again.
    std::map<std::string, std::string> approvedServers;

    bool operator==(const Settings&) const = default;
};

/// Which project the broker at `brokerUrl` is asked for; empty: none.
[[nodiscard]] inline std::string projectOf(const Settings& settings)
{
    const auto named = settings.projects.find(settings.brokerUrl);
    return named != settings.projects.end() ? named->second : std::string();
}

/// Names it, a good name (`projectNameFault`); empty: none.
inline void nameProject(Settings& settings, const std::string& project)
{
    if (project.empty()) {
        settings.projects.erase(settings.brokerUrl);
    } else {
        settings.projects[settings.brokerUrl] = project;
    }
}

} // namespace vivavoce::core
