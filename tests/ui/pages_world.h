#pragma once

#include "core/base/clock.h"
#include "core/usage/utc_day.h"
#include "tests/support/fake_usage_book.h"
#include "tests/ui/ui_fakes.h"
#include "ui/account/account_view_model.h"
#include "ui/conversation/conversation_view_model.h"
#include "ui/history/export_view_model.h"
#include "ui/history/history_view_model.h"
#include "ui/settings/settings_view_model.h"
#include "ui/shell/shell_view_model.h"
#include "ui/usage/usage_book_view_model.h"

#include <QObject>

namespace vivavoce::tests {

/// "broker.unreachable" and the like.
[[nodiscard]] inline core::Error errorOf(const QString& code, const QString& foreignCode)
{
    auto error = core::ErrorCode::BadUsage;
    while (error != core::ErrorCode::Internal && code.toStdString() != core::codeText(error)) {
        error = static_cast<core::ErrorCode>(static_cast<int>(error) + 1);
    }
    return {error, "", std::nullopt, foreignCode.toStdString()};
}

/// What the QML tests act on: the view models on fakes, and what the fakes have seen.
class PagesWorld final : public QObject {
    Q_OBJECT
    Q_PROPERTY(vivavoce::ui::ConversationViewModel* conversation READ conversation NOTIFY begun)
    Q_PROPERTY(vivavoce::ui::SettingsViewModel* settings READ settings NOTIFY begun)
    Q_PROPERTY(vivavoce::ui::ShellViewModel* shell READ shell NOTIFY begun)
    Q_PROPERTY(vivavoce::ui::AccountViewModel* account READ account NOTIFY begun)
    Q_PROPERTY(vivavoce::ui::HistoryViewModel* history READ history NOTIFY begun)
    Q_PROPERTY(vivavoce::ui::ExportViewModel* exporter READ exporter NOTIFY begun)
    Q_PROPERTY(vivavoce::ui::UsageBookViewModel* usage READ usage NOTIFY begun)
    Q_PROPERTY(int kept READ kept)
    Q_PROPERTY(QString written READ written)
    Q_PROPERTY(int openings READ openings)
    Q_PROPERTY(int starts READ starts)
    Q_PROPERTY(int stops READ stops)
    Q_PROPERTY(int tones READ tones)
    Q_PROPERTY(int interruptions READ interruptions)
    Q_PROPERTY(QString said READ said)
    Q_PROPERTY(bool isPreview READ isPreview)
    Q_PROPERTY(bool isSoundMuted READ isSoundMuted)

public:
    PagesWorld() { begin(false, true); }

    /// All anew. The old ones live on for pages that are not gone yet.
    Q_INVOKABLE void begin(bool isFirstRun, bool hasAgent = true);
    Q_INVOKABLE void meetModel(const QString& model)
    {
        now().conversation.tell(core::session_notice::TokenChanged{core::TokenNews::Acquired, "voice_1",
            core::Milliseconds{60'000}, core::Milliseconds{24'000}, "openai", model.toStdString()});
    }
    /// Through a broker, for a project that keeps what is said, or does not.
    Q_INVOKABLE void meetKeeper(bool keeps)
    {
        core::session_notice::TokenChanged changed{core::TokenNews::Acquired, "voice_1", core::Milliseconds{60'000},
            core::Milliseconds{24'000}, "openai", "m"};
        changed.isRelayed = true;
        changed.areTranscriptsKept = keeps;
        now().conversation.tell(changed);
    }
    /// It is not renewed: the conversation goes on without it.
    Q_INVOKABLE void outliveToken()
    {
        now().conversation.tell(core::session_notice::TokenChanged{core::TokenNews::Expired, "voice_1"});
    }
    Q_INVOKABLE void goLive() { now().conversation.tellPhase(core::Phase::Live); }
    Q_INVOKABLE void speak() { now().conversation.tellActivity(core::Activity::Speaking); }
    Q_INVOKABLE void useTool()
    {
        now().conversation.tell(core::session_notice::ToolCalled{{"c1", "look_up", "{}"}});
        now().conversation.tellActivity(core::Activity::RunningTool);
    }
    Q_INVOKABLE void listen() { now().conversation.tellActivity(core::Activity::Listening); }
    Q_INVOKABLE void fail(const QString& code, const QString& foreignCode = {})
    {
        now().conversation.tell(core::session_notice::Ended{errorOf(code, foreignCode)});
    }
    Q_INVOKABLE void problem(const QString& code, const QString& foreignCode = {})
    {
        now().conversation.tell(core::session_notice::Problem{errorOf(code, foreignCode)});
    }
    /// A reply and a tool, for the side panel.
    Q_INVOKABLE void spend();
    Q_INVOKABLE void write(const QString& id, bool isUser, const QString& text);
    Q_INVOKABLE void makeNoise(qreal dbfs) { now().voice.levels = {dbfs, -100}; }
    Q_INVOKABLE void plugHeadphones()
    {
        auto all = now().devices.all;
        all.push_back({"s2", "Headphones", core::SoundDirection::Playback, false});
        now().devices.set(std::move(all));
    }
    Q_INVOKABLE void useBroker(const QString& address) { (void)now().settingsModel.useBroker(address); }
    /// The broker has that provider answer.
    Q_INVOKABLE void serveFrom(const QString& provider) { now().settingsModel.choice()->setServing(provider); }
    Q_INVOKABLE void offerBrowserOnly() { now().account.hasDeviceFlow = false; }
    Q_INVOKABLE void becomeSignedIn() { now().account.become(FakeAccount::Stage::SignedIn); }
    Q_INVOKABLE void failToSignIn(const QString& code, const QString& foreignCode = {})
    {
        now().account.become(FakeAccount::Stage::Failed, errorOf(code, foreignCode));
    }
    /// Whoever asks for a broker hears this of the way there.
    Q_INVOKABLE void spoilTheWay(const QString& foreignCode) { now().fault = foreignCode.toStdString(); }
    Q_INVOKABLE void tellDamagedSettings()
    {
        now().shellModel.tellDamagedSettings(QStringLiteral("/vivavoce.ini.damaged"));
    }
    /// A conversation that is kept: the user says `words`.
    Q_INVOKABLE void keep(const QString& id, const QString& words);
    /// Likewise, of so many lines: each begins with "number" and its number, and they are of different lengths.
    Q_INVOKABLE void keepLines(const QString& id, int count);
    /// A turn of today: 100 tokens in, 40 of them from the cache, 30 out, for a dollar.
    Q_INVOKABLE void count()
    {
        core::UsageRecord record{"voice_1", "reply 1", core::utcDay(now().clock.wallNow()),
            now().live.current().brokerUrl, "m", {}, "2026-10-09"};
        record.figures.tokens = {10, 50, 0, 10, 30, 0, 5, 25};
        record.figures.connected = core::Milliseconds{90'000};
        record.figures.turns = 1;
        record.figures.nanoDollars = 1'000'000'000;
        (void)now().book.put({record});
    }
    /// Whoever waits for the broker hears that it has the same, or that it is away.
    Q_INVOKABLE void answerUsage(bool isThere)
    {
        core::BrokerUsage same{1, now().book.total(), 0};
        const auto done = std::exchange(now().usageAsked, nullptr);
        done(isThere ? core::Expected<core::BrokerUsage, core::Error>(same)
                     : core::fail(core::ErrorCode::BrokerUnreachable, "away"));
    }
    /// A kept conversation of which half a minute can be heard.
    Q_INVOKABLE void keepWithSound(const QString& id, const QString& words);
    Q_INVOKABLE void loseSound() { now().history.sounds.clear(); }
    Q_INVOKABLE void playOn(int milliseconds)
    {
        now().player.become({true, core::Milliseconds{milliseconds}, core::Milliseconds{30'000}, std::nullopt});
    }
    Q_INVOKABLE void endPlaying() { now().player.become({}); }
    [[nodiscard]] Q_INVOKABLE bool isPlaying() { return now().player.now.isPlaying; }
    Q_INVOKABLE void setTalking(bool isOn) { now().historyModel.setTalking(isOn); }
    Q_INVOKABLE void setRecording(bool isOn) { now().conversationModel.setRecording(isOn); }
    Q_INVOKABLE void breakHistory()
    {
        now().history.fault = core::Error{core::ErrorCode::HistoryFailed, "", std::nullopt, {}};
    }
    Q_INVOKABLE void askFor(const QString& callId, const QString& tool, const QString& arguments)
    {
        now().approvals.ask({callId.toStdString(), tool.toStdString(), "files", arguments.toStdString(),
            now().clock.now() + core::Milliseconds{30'000}});
    }
    Q_INVOKABLE void askForALink(const QString& callId)
    {
        now().approvals.ask({callId.toStdString(), "open_link", "Vivavoce", R"({"url":"https://example.com"})",
            now().clock.now() + core::Milliseconds{30'000}, true});
    }
    Q_INVOKABLE void forgetQuestions()
    {
        now().approvals.waiting.clear();
        now().approvals.tell();
    }
    /// "call:0" for once, 1 for the conversation, 2 for no; of all answers.
    Q_INVOKABLE QString answers();
    /// One that waits to be allowed, and one that has failed.
    Q_INVOKABLE void bringServers()
    {
        using Stage = core::ToolServer::Stage;
        now().tools.started = {{"mail", "/opt/mail --x", {"TOKEN"}, Stage::NotApproved, std::nullopt, "5f0c"},
            {"files", "files", {}, Stage::Failed,
                core::Error{core::ErrorCode::ToolFailed, "it has ended", std::nullopt, {}}}};
        now().tools.tell();
    }
    /// What was decided of functions and servers.
    Q_INVOKABLE QString decisions();
    Q_INVOKABLE void endTimer(const QString& label)
    {
        now().conversationModel.timers()->tell({"timer_1", label.toStdString()});
    }
    Q_INVOKABLE void unplugAll() { now().devices.set({}); }

    [[nodiscard]] ui::ConversationViewModel* conversation() { return &now().conversationModel; }
    [[nodiscard]] ui::SettingsViewModel* settings() { return &now().settingsModel; }
    [[nodiscard]] ui::ShellViewModel* shell() { return &now().shellModel; }
    [[nodiscard]] ui::AccountViewModel* account() { return &now().accountModel; }
    [[nodiscard]] ui::HistoryViewModel* history() { return &now().historyModel; }
    [[nodiscard]] ui::ExportViewModel* exporter() { return &now().exportModel; }
    [[nodiscard]] ui::UsageBookViewModel* usage() { return &now().usageModel; }
    [[nodiscard]] int kept() { return static_cast<int>(now().history.all.size()); }
    /// The names of the files that were written.
    [[nodiscard]] QString written();
    [[nodiscard]] int openings() { return now().account.openings; }
    [[nodiscard]] int starts() { return now().conversation.starts; }
    [[nodiscard]] int stops() { return now().conversation.stops; }
    [[nodiscard]] int interruptions() { return now().conversation.interruptions; }
    [[nodiscard]] int tones() { return now().voice.tones; }
    [[nodiscard]] QString said();
    [[nodiscard]] bool isPreview() { return now().voice.isPreview; }
    [[nodiscard]] bool isSoundMuted() { return now().voice.isMuted; }

Q_SIGNALS:
    void begun();

private:
    struct Parts {
        explicit Parts(bool isFirstRun)
        {
            store.kept.profile = isFirstRun ? core::Profile::None : core::Profile::ThisComputer;
        }
        core::SystemClock clock;
        FakeConversation conversation;
        FakeVoiceControls voice;
        FakeDeviceCatalog devices;
        FakeSettingsStore store;
        FakeAccount account;
        FakeConversationStore history;
        FakeTextFiles files;
        FakeUsageBook book;
        core::BrokerLedger::Done usageAsked;
        FakeApprovals approvals;
        FakeToolCatalog tools;
        FakePlayer player;
        std::string fault;
    };
    struct World : Parts {
        explicit World(bool isFirstRun, bool hasAgent)
            : Parts(isFirstRun),
              live(store),
              conversationModel({conversation, voice, clock, live, &approvals}),
              settingsModel({live, devices, voice, hasAgent, &history, &tools,
                  [](const std::string& path) {
                      return path.ends_with(".pem") ? std::nullopt : std::optional(core::CaFileFault::NotPem);
                  },
                  &clock}),
              shellModel({conversation, clock, live, hasAgent, false,
                  [this](const std::string&, const std::function<void(std::optional<core::Error>)>& done) {
                      done(fault.empty() ? std::nullopt
                                         : std::optional(
                                             core::Error{core::ErrorCode::BrokerUnreachable, "", std::nullopt, fault}));
                  }}),
              accountModel({account, live}),
              historyModel({history, live, &player}),
              exportModel(files),
              usageModel({book, live, clock,
                  [this](const core::UsageQuery&, core::BrokerLedger::Done done) { usageAsked = std::move(done); }})
        {
            QObject::connect(&conversationModel, &ui::ConversationViewModel::exportWanted, &exportModel,
                [this] { exportModel.begin(conversationModel.said()); });
            QObject::connect(
                &shellModel, &ui::ShellViewModel::talkWanted, &conversationModel, &ui::ConversationViewModel::start);
            QObject::connect(&historyModel, &ui::HistoryViewModel::exportWanted, &exportModel,
                [this] { exportModel.begin(historyModel.opened()); });
        }
        core::LiveSettings live;
        ui::ConversationViewModel conversationModel;
        ui::SettingsViewModel settingsModel;
        ui::ShellViewModel shellModel;
        ui::AccountViewModel accountModel;
        ui::HistoryViewModel historyModel;
        ui::ExportViewModel exportModel;
        ui::UsageBookViewModel usageModel;
    };
    [[nodiscard]] World& now() { return *m_worlds.back(); }

    std::vector<std::unique_ptr<World>> m_worlds;
};

} // namespace vivavoce::tests
