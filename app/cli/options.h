#pragma once

#include "app/cli/json_lines.h"
#include "core/base/units.h"
#include "core/settings/settings.h"
#include "core/token/token_settings.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vivavoce::cli {

/// What becomes of a function that asks before it runs.
enum class ApproveMode { Always, Ask, Never };

/// How fast a recording is spoken.
enum class Pace { RealTime, Fast };

inline constexpr const char* kMicrophone = "mic";
inline constexpr const char* kSpeaker = "speaker";

struct TalkOptions {
    /// Empty: our own broker and agent are started for this conversation.
    std::string brokerUrl;
    /// The environment variable that holds the credential for `brokerUrl`.
    std::string credentialVariable = "VIVAVOCE_CREDENTIAL";
    /// A person signs in for `brokerUrl`, in the browser, or with a code on another device where there is none, or none is wanted.
    bool isSigningIn = false;
    bool isWithoutBrowser = false;
    core::TokenSettings token;
    /// A file, or kMicrophone.
    std::string inFile;
    /// A file, or kSpeaker.
    std::string outFile;
    core::DeviceChoice devices;
    core::SoundBackend soundBackend = core::SoundBackend::PortAudio;
    std::vector<std::string> texts;
    std::string toolsFile;
    /// MCP servers whose functions the agent may call.
    std::string mcpFile;
    /// The time, timers, opening a link.
    bool hasBuiltInTools = false;
    /// Nothing: as there is somebody at a terminal to be asked, or not.
    std::optional<ApproveMode> approve;
    /// 0: until the recording and the texts are through and everything is answered.
    int turns = 0;
    core::Milliseconds timeout{120'000};
    /// US dollars; 0: whatever it comes to.
    double spendLimit = 0;
    /// 0: never.
    int idleMinutes = 0;
    /// Where what was said is written at the end, in the format that its ending names. Empty: nowhere.
    std::string transcriptFile;
    /// What it comes to goes into this user's book of usage, beside the window's.
    bool isCounted = false;
    /// Authorities that are trusted besides the system's. Empty: none.
    std::string caFile;
    Pace pace = Pace::RealTime;
    OutputFormat format = OutputFormat::JsonLines;
    std::string instructions;
    std::string voice;
    std::string provider;
    std::string model;
    /// What the conversation is for, where the broker has projects. Empty: nothing is said of it.
    std::string project;
    std::string transcriptionModel;
    std::string chatUrl;
    std::string chatModel;

    [[nodiscard]] bool isLive() const { return inFile == kMicrophone; }
    [[nodiscard]] bool isAloud() const { return outFile == kSpeaker; }
};

struct DevicesOptions {
    OutputFormat format = OutputFormat::Text;
    core::SoundBackend backend = core::SoundBackend::PortAudio;
};

struct DoctorOptions {
    OutputFormat format = OutputFormat::Text;
};

struct UsageOptions {
    OutputFormat format = OutputFormat::Text;
    bool isByMonth = false;
};

/// The program is to end at once: help was asked for (0), or the words do not fit (2). The text has been printed.
struct EndNow {
    int exitCode = 0;
};

using Command = std::variant<EndNow, TalkOptions, DevicesOptions, DoctorOptions, UsageOptions>;

/// Reads the command line. Never fails: bad words are an EndNow of 2.
[[nodiscard]] Command parseCommandLine(int argc, char** argv);

} // namespace vivavoce::cli
