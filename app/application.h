#pragma once

#include "app/broker_trial.h"
#include "app/platform/damaged_settings.h"
#include "app/platform/loopback_redirect.h"
#include "app/platform/private_files.h"
#include "app/platform/qt_executor.h"
#include "app/platform/qt_http_client.h"
#include "app/platform/qt_settings_store.h"
#include "app/platform/qt_websocket_transport.h"
#include "app/platform/sqlite_conversation_store.h"
#include "app/platform/sqlite_usage_book.h"
#include "app/platform/system_browser.h"
#include "app/sound.h"
#include "app/talk_session.h"
#include "app/window.h"
#include "core/base/secret.h"
#include "core/sign_in/sign_in.h"
#include "core/tools/built_in_tools.h"
#include "core/tools/live_tools.h"
#include "core/tools/mcp_servers.h"
#include "core/tools/tool_box.h"
#include "core/usage/broker_ledger.h"

#include <memory>
#include <optional>

namespace vivavoce::app {

/// The composition root: puts the program together out of its parts, and lets go of them in turn.
/// Threads: the main thread. Lifetime: within that of QGuiApplication.
class Application {
public:
    /// What a broker is shown where nobody is to sign in; taken out of the environment. First thing in `main`, before there are threads that
    /// read that. Null: there is none.
    [[nodiscard]] static std::shared_ptr<const core::Secret> takeCredential();

    explicit Application(std::shared_ptr<const core::Secret> credential = nullptr);

    [[nodiscard]] bool open() { return m_window.open(); }
    void raise() { m_window.raise(); }
    void hide() { m_window.hide(); }
    /// Before the end, without a window: a conversation is ended and kept as it was heard, its broker told what it came to. Takes a second at
    /// most.
    void finish();
    /// Null before `open`.
    [[nodiscard]] QQuickWindow* quickWindow() const { return m_window.quickWindow(); }

private:
    void follow(const core::Settings& settings);
    void accountChanged(const core::SignInStatus& status);

    core::SystemClock m_clock;
    platform::QtExecutor m_executor;
    const QString m_settingsFile = platform::QtSettingsStore::defaultFile();
    const std::optional<QString> m_damaged = platform::keepDamagedSettings(m_settingsFile);
    platform::QtSettingsStore m_store{m_settingsFile};
    core::LiveSettings m_settings;
    platform::QtHttpClient m_http;
    platform::QtWebSocketFactory m_transports;
    platform::SystemBrowser m_browser;
    platform::LoopbackRedirect m_redirect;
    const bool m_hasCredential;
    /// Shared with the conversation, which shows its broker who talks.
    std::shared_ptr<core::SignIn> m_signIn;
    bool m_isSignedIn = false;
    BrokerTrial m_trial{m_http};
    core::BuiltInTools m_builtIn;
    core::McpServers m_mcp;
    core::ToolBox m_tools;
    core::LiveTools m_toolChoices;
    Sound m_sound;
    platform::SqliteUsageBook m_book;
    /// Shared with the ledger, which asks for what this user has used.
    std::shared_ptr<core::CredentialSource> m_credential;
    core::BrokerLedger m_ledger;
    TalkSession m_talk;
    platform::SqliteConversationStore m_history;
    platform::PrivateFiles m_files;
    Window m_window;
};

} // namespace vivavoce::app
