#include "app/window.h"

#include <QCoreApplication>
#include <QQmlExtensionPlugin>
#include <QQuickWindow>

#include <utility>

// The linker keeps of a static library only what somebody names.
Q_IMPORT_QML_PLUGIN(Vivavoce_StylePlugin)
Q_IMPORT_QML_PLUGIN(Vivavoce_AccountPlugin)
Q_IMPORT_QML_PLUGIN(Vivavoce_ConversationPlugin)
Q_IMPORT_QML_PLUGIN(Vivavoce_HistoryPlugin)
Q_IMPORT_QML_PLUGIN(Vivavoce_SettingsPlugin)
Q_IMPORT_QML_PLUGIN(Vivavoce_ShellPlugin)
Q_IMPORT_QML_PLUGIN(Vivavoce_UsagePlugin)

namespace vivavoce::app {
namespace {

QUrl page(const QString& path)
{
    return QUrl(QStringLiteral("qrc:/qt/qml/Vivavoce/") + path);
}

} // namespace

Window::Window(const Ports& ports)
    : m_shell({ports.conversation, ports.clock, ports.settings, ports.hasAgent, ports.hasCredential, ports.tryBroker}),
      m_conversation({ports.conversation, ports.voice, ports.clock, ports.settings, ports.approvals}),
      m_settings({ports.settings, ports.devices, ports.voice, ports.hasAgent, &ports.history, ports.tools,
          ports.checkCaFile, &ports.clock}),
      m_account({ports.account, ports.settings, ports.hasCredential}),
      m_history({ports.history, ports.settings, ports.player}),
      m_export(ports.files),
      m_keeper({ports.conversation, ports.history, ports.settings, ports.clock,
          [this](const core::Error& error) { m_conversation.showProblem(error); }, ports.recorder,
          [this](bool isRecording) { m_conversation.setRecording(isRecording); }})
{
    QObject::connect(&m_conversation, &ui::ConversationViewModel::stateChanged, &m_history,
        [this] { m_history.setTalking(m_conversation.isRunning()); });
    QObject::connect(
        &m_conversation, &ui::ConversationViewModel::servedBy, m_settings.choice(), &ui::ChoiceViewModel::setServing);
    if (ports.book != nullptr) {
        m_usage.emplace(
            ui::UsageBookViewModel::Dependencies{*ports.book, ports.settings, ports.clock, ports.askBroker});
    }
    // Whoever is signed in and may not talk all the same has nothing to do there.
    QObject::connect(&m_shell, &ui::ShellViewModel::notAuthorised, &m_shell, [this] {
        if (m_account.stage() != ui::AccountViewModel::SignedIn) {
            Q_EMIT m_shell.accountWanted();
            // Nobody has been refused: the account's page says what is missing. Later: the conversation hears of its end after this.
            QMetaObject::invokeMethod(&m_conversation, &ui::ConversationViewModel::dismissError, Qt::QueuedConnection);
        }
    });
    QObject::connect(&m_shell, &ui::ShellViewModel::talkWanted, &m_conversation, &ui::ConversationViewModel::start);
    // Whoever was refused and has signed in since then is not any more.
    QObject::connect(&m_account, &ui::AccountViewModel::changed, &m_shell, [this, wasSignedIn = false]() mutable {
        const bool isSignedIn = m_account.stage() == ui::AccountViewModel::SignedIn;
        if (!std::exchange(wasSignedIn, isSignedIn) && isSignedIn) {
            m_shell.accountReady();
            m_conversation.accountReady();
        }
    });
    QObject::connect(&m_conversation, &ui::ConversationViewModel::exportWanted, &m_export,
        [this] { m_export.begin(m_conversation.said()); });
    QObject::connect(
        &m_history, &ui::HistoryViewModel::exportWanted, &m_export, [this] { m_export.begin(m_history.opened()); });
    // Qt looks there of its own accord from 6.5 on.
    m_engine.addImportPath(QStringLiteral("qrc:/qt/qml"));
}

Window::~Window() = default;

bool Window::open()
{
    m_engine.setInitialProperties({{QStringLiteral("shell"), QVariant::fromValue(&m_shell)},
        {QStringLiteral("conversation"), QVariant::fromValue<QObject*>(&m_conversation)},
        {QStringLiteral("settings"), QVariant::fromValue<QObject*>(&m_settings)},
        {QStringLiteral("account"), QVariant::fromValue<QObject*>(&m_account)},
        {QStringLiteral("history"), QVariant::fromValue<QObject*>(&m_history)},
        {QStringLiteral("exporter"), QVariant::fromValue<QObject*>(&m_export)},
        {QStringLiteral("historyPage"), page(QStringLiteral("History/HistoryPage.qml"))},
        {QStringLiteral("exportPage"), page(QStringLiteral("History/ExportPage.qml"))},
        {QStringLiteral("conversationPage"), page(QStringLiteral("Conversation/ConversationPage.qml"))},
        {QStringLiteral("settingsPage"), page(QStringLiteral("Settings/SettingsPage.qml"))},
        {QStringLiteral("usage"), QVariant::fromValue<QObject*>(m_usage ? &*m_usage : nullptr)},
        {QStringLiteral("usagePage"), page(QStringLiteral("Usage/UsagePage.qml"))},
        {QStringLiteral("accountPage"), page(QStringLiteral("Account/AccountPage.qml"))}});
    m_engine.load(page(QStringLiteral("Shell/Main.qml")));
    return quickWindow() != nullptr;
}

void Window::tellTimer(const core::TimerDue& timer)
{
    m_conversation.timers()->tell(timer);
    if (QQuickWindow* window = quickWindow()) {
        window->alert(0);
    }
}

void Window::tellDamagedSettings(const QString& keptAs)
{
    m_shell.tellDamagedSettings(keptAs);
}

void Window::tellDamagedHistory(const QString& keptAs)
{
    m_shell.tellDamagedHistory(keptAs);
}

void Window::raise()
{
    Q_EMIT m_shell.raiseWanted();
}

void Window::hide()
{
    if (QQuickWindow* window = quickWindow()) {
        window->hide();
        // The system hears of it now: no event loop runs any more.
        QCoreApplication::processEvents(QEventLoop::ExcludeUserInputEvents);
    }
}

QQuickWindow* Window::quickWindow() const
{
    const QList<QObject*> roots = m_engine.rootObjects();
    return roots.isEmpty() ? nullptr : qobject_cast<QQuickWindow*>(roots.first());
}

} // namespace vivavoce::app
