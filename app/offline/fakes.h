#pragma once

#include "core/ports/account.h"
#include "core/ports/conversation.h"
#include "core/ports/conversation_store.h"
#include "core/ports/device_catalog.h"
#include "core/ports/recording_player.h"
#include "core/ports/settings_store.h"
#include "core/ports/sound_recorder.h"
#include "core/ports/text_files.h"
#include "core/ports/tool_approvals.h"
#include "core/ports/tool_catalog.h"
#include "core/ports/voice_controls.h"
#include "core/settings/ca_file.h"

#include <QObject>

#include <deque>
#include <vector>

namespace vivavoce::offline {

/// Forgets at the end.
class MemorySettings final : public core::SettingsStore {
public:
    explicit MemorySettings(core::Settings settings) : m_settings(std::move(settings)) {}
    [[nodiscard]] core::Settings load() const override { return m_settings; }
    core::Expected<void, core::Error> save(const core::Settings& settings) override
    {
        m_settings = settings;
        return {};
    }

private:
    core::Settings m_settings;
};

/// Conversations of somebody who has talked before; forgets at the end.
class FakeHistory final : public core::ConversationStore {
public:
    core::Expected<void, core::Error> put(
        const core::ConversationHead& head, const core::TranscriptLine& line, std::string_view nextItemId) override;
    core::Expected<void, core::Error> drop(const std::string& id, const std::string& itemId) override;
    [[nodiscard]] core::Expected<std::vector<core::SavedConversation>, core::Error> find(
        const std::string& words) override;
    [[nodiscard]] core::Expected<core::Transcript, core::Error> open(const std::string& id) override;
    [[nodiscard]] bool isEmpty() override { return m_kept.empty(); }
    core::Expected<void, core::Error> remove(const std::string& id) override;
    core::Expected<void, core::Error> removeAll() override;
    core::Expected<std::string, core::Error> makeSound(const std::string& id, core::SoundFormat format) override;
    [[nodiscard]] bool hasSound(const std::string&) override { return true; }
    [[nodiscard]] std::optional<core::SavedSound> sound(const std::string& id) override;
    void keepSound(const std::string&) override {}
    core::Expected<void, core::Error> dropSound(const std::string&) override { return {}; }
    void dropLostSound() override {}
    /// Three of them.
    void fill();
    void setBroken() { m_isBroken = true; }
    /// Of the sound of all of them.
    void loseSound() { m_isSoundLost = true; }

private:
    struct Kept {
        core::ConversationHead head;
        std::vector<core::TranscriptLine> lines;
    };
    [[nodiscard]] core::Expected<void, core::Error> state() const;

    std::vector<Kept> m_kept;
    bool m_isBroken = false;
    bool m_isSoundLost = false;
};

/// Plays what nobody hears, up to a place where it stays.
class FakePlayer final : public core::RecordingPlayer {
public:
    void follow(std::function<void()> changed) override { m_followers.push_back(std::move(changed)); }
    void play(const std::string& path, core::Milliseconds from) override;
    void stop() override;
    [[nodiscard]] Status status() const override { return m_status; }

private:
    void tell() const;

    Status m_status;
    std::vector<std::function<void()>> m_followers;
};

/// Records nothing.
class FakeRecorder final : public core::SoundRecorder {
public:
    void record(const std::string&, core::SoundFormat, Failed) override {}
    void pause(bool) override {}
    void finish(std::function<void()>) override {}
};

/// Writes nothing.
class FakeFiles final : public core::TextFiles {
public:
    [[nodiscard]] std::string usualFolder() const override { return "/home/ada/Documents"; }
    [[nodiscard]] bool exists(const std::string& path) const override { return m_written == path; }
    [[nodiscard]] core::Expected<void, core::Error> check(const std::string& path) const override;
    core::Expected<void, core::Error> write(const std::string& path, std::string_view text) override;

private:
    std::string m_written;
};

/// What is called "old.pem" has run out, what does not end with ".pem" is none.
[[nodiscard]] std::optional<core::CaFileFault> checkCaFile(const std::string& path);

class FakeDevices final : public core::DeviceCatalog {
public:
    [[nodiscard]] std::vector<core::SoundDevice> devices(core::SoundDirection direction) const override;
    void watch(std::function<void()> changed) override { m_changed = std::move(changed); }
    void set(std::vector<core::SoundDevice> devices);

private:
    std::vector<core::SoundDevice> m_devices{
        {"mic-1", "Built-in Audio Analog Stereo", core::SoundDirection::Capture, true},
        {"mic-2", "Yeti Stereo Microphone", core::SoundDirection::Capture, false},
        {"out-1", "Built-in Audio Analog Stereo", core::SoundDirection::Playback, true},
        {"out-2", "Headphones", core::SoundDirection::Playback, false}};
    std::function<void()> m_changed;
};

/// Signs in whoever asks, at the second look.
class FakeAccount final : public core::Account {
public:
    void follow(Follower follower) override { m_followers.push_back(std::move(follower)); }
    [[nodiscard]] const core::SignInStatus& status() const override { return m_status; }
    void start(Way way) override;
    void openAgain() override;
    void cancel() override { become({}); }
    void signOut() override { become({}); }
    void become(core::SignInStatus status);

private:
    core::SignInStatus m_status;
    std::vector<Follower> m_followers;
};

/// Functions and servers to look at; a decision holds until the end.
class FakeTools final : public core::ToolCatalog {
public:
    void follow(Follower follower) override { m_followers.push_back(std::move(follower)); }
    [[nodiscard]] std::vector<core::OfferedTool> tools() const override { return m_tools; }
    [[nodiscard]] std::vector<std::string> remarks() const override { return m_remarks; }
    void decide(const std::string& tool, core::ToolPolicy policy) override;
    [[nodiscard]] std::string file() const override { return m_file; }
    [[nodiscard]] std::optional<core::Error> fileFault() const override { return std::nullopt; }
    core::Expected<void, core::Error> useFile(const std::string& file) override;
    [[nodiscard]] std::vector<core::ToolServer> servers() const override { return m_servers; }
    void approve(const std::string& server, const std::string& shown) override;
    void withdraw(const std::string& server) override;
    void startAgain(const std::string& server) override;
    /// With a file of servers, one of each kind.
    void bringServers();

private:
    void become(const std::string& server, core::ToolServer::Stage stage);
    void tell() const;

    std::vector<core::OfferedTool> m_tools{
        {"get_current_time", "Vivavoce", "The date and the time now", core::ToolPolicy::Always, false},
        {"set_timer", "Vivavoce", "Sets a timer; the user is told when it is over", core::ToolPolicy::Always, false},
        {"open_link", "Vivavoce", "Opens a web page in the user's browser, if the user allows it",
            core::ToolPolicy::Ask, true}};
    std::vector<std::string> m_remarks;
    std::string m_file;
    std::vector<core::ToolServer> m_servers;
    std::vector<Follower> m_followers;
};

/// Asks what it is told to ask.
class FakeApprovals final : public core::ToolApprovals {
public:
    void follow(Follower follower) override { m_followers.push_back(std::move(follower)); }
    [[nodiscard]] const std::vector<core::ApprovalRequest>& pending() const override { return m_pending; }
    void answer(const std::string& callId, core::Approval approval) override;
    void ask(core::ApprovalRequest request);

private:
    void tell() const;

    std::vector<core::ApprovalRequest> m_pending;
    std::vector<Follower> m_followers;
};

/// Levels as a conversation has them.
class FakeVoice final : public core::VoiceControls {
public:
    void setMuted(bool isMuted) override { m_isMuted = isMuted; }
    void choose(const core::DeviceChoice&) override {}
    [[nodiscard]] core::VoiceLevels takeLevels() override;
    void setPreview(bool isOn) override { m_isPreview = isOn; }
    void playTestTone() override { m_toneLeft = 20; }

    void setActivity(core::Activity activity, bool isLive);
    /// The same at each look, for pictures.
    void setSteady(bool isSteady) { m_isSteady = isSteady; }

private:
    core::Activity m_activity = core::Activity::Listening;
    bool m_isLive = false;
    bool m_isMuted = false;
    bool m_isPreview = false;
    bool m_isSteady = false;
    int m_toneLeft = 0;
    int m_looks = 0;
};

/// A conversation out of a book: what is told, and when, is written beforehand.
class FakeConversation final : public QObject, public core::Conversation {
public:
    explicit FakeConversation(FakeVoice& voice) : m_voice(voice) {}

    void add(core::ConversationListener& listener) override;
    void remove(core::ConversationListener& listener) override;
    void start() override;
    void stop() override;
    void say(std::string text) override;
    void interrupt() override;
    void holdTalk(bool) override {}

    /// Now, to all.
    void tell(const core::SessionNotice& told);
    /// Without a story: for pictures.
    void setQuiet(bool isQuiet) { m_isQuiet = isQuiet; }

private:
    struct Line {
        int afterMs;
        core::SessionNotice notice;
    };
    void answer(const std::string& question, bool isSpoken);
    void play();
    void next();

    FakeVoice& m_voice;
    std::vector<core::ConversationListener*> m_listeners;
    std::deque<Line> m_story;
    core::Phase m_phase = core::Phase::Idle;
    int m_generation = 0;
    int m_turn = 0;
    bool m_isQuiet = false;
};

} // namespace vivavoce::offline
