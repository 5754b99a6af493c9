#pragma once

#include "core/ports/account.h"
#include "core/ports/conversation.h"
#include "core/ports/device_catalog.h"
#include "core/ports/recording_player.h"
#include "core/ports/settings_store.h"
#include "core/ports/text_files.h"
#include "core/ports/tool_approvals.h"
#include "core/ports/tool_catalog.h"
#include "core/ports/voice_controls.h"
#include "tests/support/fake_conversation_store.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::tests {

/// Keeps what it is asked for; the test says what it tells.
class FakeConversation final : public core::Conversation {
public:
    void add(core::ConversationListener& listener) override { listeners.push_back(&listener); }
    void remove(core::ConversationListener& listener) override { std::erase(listeners, &listener); }
    void start() override { ++starts; }
    void stop() override { ++stops; }
    void say(std::string text) override { said.push_back(std::move(text)); }
    void interrupt() override { ++interruptions; }
    void holdTalk(bool isHeld) override { isTalkHeld = isHeld; }

    void tell(const core::SessionNotice& notice)
    {
        for (core::ConversationListener* listener : std::vector(listeners)) {
            listener->conversationTold(notice);
        }
    }
    void tellPhase(core::Phase phase, core::Milliseconds retryIn = {})
    {
        tell(core::session_notice::PhaseChanged{phase, retryIn});
    }
    void tellActivity(core::Activity activity) { tell(core::session_notice::ActivityChanged{activity}); }

    std::vector<core::ConversationListener*> listeners;
    int starts = 0;
    int stops = 0;
    int interruptions = 0;
    bool isTalkHeld = false;
    std::vector<std::string> said;
};

class FakeAccount final : public core::Account {
public:
    using Stage = core::SignInStatus::Stage;

    void follow(Follower follower) override { followers.push_back(std::move(follower)); }
    [[nodiscard]] const core::SignInStatus& status() const override { return now; }
    void start(Way way) override
    {
        ways.push_back(way);
        become(way == Way::Browser ? Stage::WaitingForBrowser : Stage::WaitingForDevice);
    }
    void openAgain() override { ++openings; }
    void cancel() override { become(Stage::SignedOut); }
    void signOut() override { become(Stage::SignedOut); }
    void become(Stage stage, std::optional<core::Error> error = std::nullopt)
    {
        now = {stage, stage == Stage::SignedIn ? "ada" : "", {}, {}, {}, std::move(error)};
        now.offersDevice = hasDeviceFlow && stage == Stage::WaitingForBrowser;
        if (stage == Stage::WaitingForDevice) {
            now.userCode = "WDJB-MJHT";
            now.verificationUrl = "https://login.example/device";
        }
        for (const Follower& follower : followers) {
            follower(now);
        }
    }

    core::SignInStatus now;
    std::vector<Follower> followers;
    std::vector<Way> ways;
    bool hasDeviceFlow = true;
    int openings = 0;
};

/// Stands where it was put; the test moves it.
class FakePlayer final : public core::RecordingPlayer {
public:
    void follow(std::function<void()> changed) override { followers.push_back(std::move(changed)); }
    void play(const std::string& path, core::Milliseconds from) override
    {
        played.emplace_back(path, from);
        now = {true, from, core::Milliseconds{100'000}, std::nullopt};
    }
    void stop() override { now.isPlaying = false; }
    [[nodiscard]] Status status() const override { return now; }
    void become(Status status)
    {
        now = std::move(status);
        for (const auto& follower : std::vector(followers)) {
            follower();
        }
    }

    Status now;
    std::vector<std::function<void()>> followers;
    std::vector<std::pair<std::string, core::Milliseconds>> played;
};

class FakeToolCatalog final : public core::ToolCatalog {
public:
    void follow(Follower follower) override { followers.push_back(std::move(follower)); }
    [[nodiscard]] std::vector<core::OfferedTool> tools() const override { return offered; }
    [[nodiscard]] std::vector<std::string> remarks() const override { return told; }
    void decide(const std::string& tool, core::ToolPolicy policy) override
    {
        decisions.emplace_back(tool, policy);
        for (core::OfferedTool& one : offered) {
            one.policy = one.name == tool ? policy : one.policy;
        }
        tell();
    }
    [[nodiscard]] std::string file() const override { return used; }
    [[nodiscard]] std::optional<core::Error> fileFault() const override { return fault; }
    core::Expected<void, core::Error> useFile(const std::string& file) override
    {
        if (file == "/missing") {
            return core::fail(core::ErrorCode::BadConfiguration, "/missing: there is none");
        }
        used = file;
        tell();
        return {};
    }
    [[nodiscard]] std::vector<core::ToolServer> servers() const override { return started; }
    void approve(const std::string& server, const std::string& fingerprint) override
    {
        acts.push_back("approve " + server + ": " + fingerprint);
    }
    void withdraw(const std::string& server) override { acts.push_back("withdraw " + server); }
    void startAgain(const std::string& server) override { acts.push_back("again " + server); }
    void tell() const
    {
        for (const Follower& follower : followers) {
            follower();
        }
    }

    std::vector<Follower> followers;
    std::vector<core::OfferedTool> offered{{"set_timer", "Vivavoce", "Sets a timer", core::ToolPolicy::Always, false},
        {"open_link", "Vivavoce", "Opens a page", core::ToolPolicy::Ask, true}};
    std::vector<std::string> told;
    std::string used;
    std::optional<core::Error> fault;
    std::vector<core::ToolServer> started;
    std::vector<std::pair<std::string, core::ToolPolicy>> decisions;
    std::vector<std::string> acts;
};

class FakeApprovals final : public core::ToolApprovals {
public:
    void follow(Follower follower) override { followers.push_back(std::move(follower)); }
    [[nodiscard]] const std::vector<core::ApprovalRequest>& pending() const override { return waiting; }
    void answer(const std::string& callId, core::Approval approval) override
    {
        answers.emplace_back(callId, approval);
        std::erase_if(waiting, [&](const core::ApprovalRequest& one) { return one.callId == callId; });
        tell();
    }
    void ask(core::ApprovalRequest request)
    {
        waiting.push_back(std::move(request));
        tell();
    }
    void tell() const
    {
        for (const Follower& follower : followers) {
            follower();
        }
    }

    std::vector<Follower> followers;
    std::vector<core::ApprovalRequest> waiting;
    std::vector<std::pair<std::string, core::Approval>> answers;
};

class FakeVoiceControls final : public core::VoiceControls {
public:
    void setMuted(bool muted) override { isMuted = muted; }
    void choose(const core::DeviceChoice& choice) override { chosen.push_back(choice); }
    [[nodiscard]] core::VoiceLevels takeLevels() override
    {
        ++looks;
        return levels;
    }
    void setPreview(bool isOn) override { isPreview = isOn; }
    void playTestTone() override { ++tones; }

    bool isMuted = false;
    bool isPreview = false;
    int looks = 0;
    int tones = 0;
    core::VoiceLevels levels;
    std::vector<core::DeviceChoice> chosen;
};

class FakeDeviceCatalog final : public core::DeviceCatalog {
public:
    [[nodiscard]] std::vector<core::SoundDevice> devices(core::SoundDirection direction) const override
    {
        std::vector<core::SoundDevice> found;
        for (const core::SoundDevice& device : all) {
            if (device.direction == direction) {
                found.push_back(device);
            }
        }
        return found;
    }
    void watch(std::function<void()> listener) override { changed = std::move(listener); }
    void set(std::vector<core::SoundDevice> devices)
    {
        all = std::move(devices);
        if (changed) {
            changed();
        }
    }

    std::vector<core::SoundDevice> all{{"m1", "Desk microphone", core::SoundDirection::Capture, true},
        {"m2", "Headset", core::SoundDirection::Capture, false},
        {"s1", "Loudspeaker", core::SoundDirection::Playback, true}};
    std::function<void()> changed;
};

/// Files in memory; there is one folder, "/home".
class FakeTextFiles final : public core::TextFiles {
public:
    [[nodiscard]] std::string usualFolder() const override { return "/home"; }
    [[nodiscard]] bool exists(const std::string& path) const override { return all.contains(path); }
    [[nodiscard]] core::Expected<void, core::Error> check(const std::string& path) const override
    {
        return path.starts_with("/home/") ? core::Expected<void, core::Error>()
                                          : core::fail(core::ErrorCode::OutputUnwritable, "nowhere");
    }
    core::Expected<void, core::Error> write(const std::string& path, std::string_view text) override
    {
        if (isFull) {
            return core::fail(core::ErrorCode::OutputUnwritable, "full");
        }
        all[path] = std::string(text);
        return {};
    }

    std::map<std::string, std::string> all;
    bool isFull = false;
};

class FakeSettingsStore final : public core::SettingsStore {
public:
    [[nodiscard]] core::Settings load() const override { return kept; }
    core::Expected<void, core::Error> save(const core::Settings& settings) override
    {
        if (isFull) {
            return core::fail(core::ErrorCode::OutputUnwritable, "full");
        }
        kept = settings;
        return {};
    }

    core::Settings kept;
    bool isFull = false;
};

} // namespace vivavoce::tests
