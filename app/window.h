#pragma once

#include "ui/account/account_view_model.h"
#include "ui/conversation/conversation_view_model.h"
#include "ui/settings/settings_view_model.h"
#include "ui/shell/shell_view_model.h"

#include <QQmlApplicationEngine>

class QQuickWindow;

namespace vivavoce::app {

/// The window on the ports: view models, pages and the engine that shows them.
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
        bool hasAgent = true;
        /// A broker is shown something else than a signed-in user's token.
        bool hasCredential = false;
        ui::ShellViewModel::TryBroker tryBroker = {};
        /// Null: nothing is asked for.
        core::ToolApprovals* approvals = nullptr;
        /// Null: there are no tools to decide on.
        core::ToolCatalog* tools = nullptr;
    };

    explicit Window(const Ports& ports);
    ~Window();

    /// Whether there is something to see; where not, Qt has said why on standard error.
    [[nodiscard]] bool open();
    /// A timer that somebody set is over.
    void tellTimer(const core::TimerDue& timer);
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
    QQmlApplicationEngine m_engine;
};

} // namespace vivavoce::app
