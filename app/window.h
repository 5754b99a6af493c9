#pragma once

#include "core/history/conversation_keeper.h"
#include "core/ports/text_files.h"
#include "ui/account/account_view_model.h"
#include "ui/conversation/conversation_view_model.h"
#include "ui/history/export_view_model.h"
#include "ui/history/history_view_model.h"
#include "ui/settings/settings_view_model.h"
#include "ui/shell/shell_view_model.h"
#include "ui/usage/usage_book_view_model.h"

#include <QQmlApplicationEngine>

#include <optional>

class QQuickWindow;

namespace vivavoce::app {

/// The window on the ports: view models, pages and the engine that shows them, and who keeps what is said in it.
/// Lifetime: the ports outlive it. Threads: the main thread.
class Window {
public:
    struct Ports {
        core::Conversation& conversation;
        core::VoiceControls& voice;
        core::DeviceCatalog& devices;
        core::LiveSettings& settings;
        const core::Clock& clock;
        core::Account& account;
        core::ConversationStore& history;
        core::TextFiles& files;
        bool hasAgent = true;
        /// A broker is shown something else than a signed-in user's token.
        bool hasCredential = false;
        ui::ShellViewModel::TryBroker tryBroker = {};
        /// Null: nothing is asked for.
        core::ToolApprovals* approvals = nullptr;
        /// Null: there are no tools to decide on.
        core::ToolCatalog* tools = nullptr;
        /// Null: every file of authorities will do.
        core::CheckCaFile checkCaFile = {};
        /// Null: nothing is counted.
        core::UsageBook* book = nullptr;
        /// What a broker has in its books. Null: nobody is asked.
        ui::UsageBookViewModel::AskBroker askBroker = nullptr;
        /// Null: no sound is kept, and none is heard again.
        core::SoundRecorder* recorder = nullptr;
        core::RecordingPlayer* player = nullptr;
    };

    explicit Window(const Ports& ports);
    ~Window();

    /// Whether there is something to see; where not, Qt has said why on standard error.
    [[nodiscard]] bool open();
    /// A timer that somebody set is over.
    void tellTimer(const core::TimerDue& timer);
    /// Something went wrong, and the conversation goes on.
    void tellProblem(const core::Error& error) { m_conversation.showProblem(error); }
    /// The settings were damaged, and are kept in this file.
    void tellDamagedSettings(const QString& keptAs);
    /// So were the conversations.
    void tellDamagedHistory(const QString& keptAs);
    /// In front of the others.
    void raise();
    /// Out of sight at once; what is behind it may take a while to end.
    void hide();
    [[nodiscard]] QQuickWindow* quickWindow() const;

private:
    ui::ShellViewModel m_shell;
    ui::ConversationViewModel m_conversation;
    ui::SettingsViewModel m_settings;
    ui::AccountViewModel m_account;
    ui::HistoryViewModel m_history;
    ui::ExportViewModel m_export;
    std::optional<ui::UsageBookViewModel> m_usage;
    core::ConversationKeeper m_keeper;
    QQmlApplicationEngine m_engine;
};

} // namespace vivavoce::app
