#pragma once

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
        bool hasAgent = true;
    };

    explicit Window(const Ports& ports);
    ~Window();

    /// Whether there is something to see; where not, Qt has said why on standard error.
    [[nodiscard]] bool open();
    /// In front of the others.
    void raise();
    [[nodiscard]] QQuickWindow* quickWindow() const;

private:
    ui::ShellViewModel m_shell;
    ui::ConversationViewModel m_conversation;
    ui::SettingsViewModel m_settings;
    QQmlApplicationEngine m_engine;
};

} // namespace vivavoce::app
