#pragma once

#include "core/base/clock.h"
#include "core/ports/conversation.h"
#include "core/settings/live_settings.h"
#include "core/token/token_age.h"

#include <QObject>
#include <QTimer>
#include <QtQml/qqmlregistration.h>

#include <functional>
#include <optional>
#include <string>

namespace vivavoce::ui {

/// The frame around the pages: which profile, how the connection is, how old the token is, and the first run.
class ShellViewModel final : public QObject, private core::ConversationListener {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The application makes it")
    Q_PROPERTY(bool isFirstRun READ isFirstRun NOTIFY settingsChanged)
    /// Where the running conversation is, or else the next one.
    Q_PROPERTY(QString profileName READ profileName NOTIFY profileNameChanged)
    Q_PROPERTY(int colourScheme READ colourScheme NOTIFY settingsChanged)
    Q_PROPERTY(bool isMotionReduced READ isMotionReduced NOTIFY settingsChanged)
    Q_PROPERTY(Connection connection READ connection NOTIFY connectionChanged)
    Q_PROPERTY(QString connectionText READ connectionText NOTIFY connectionChanged)
    Q_PROPERTY(bool hasToken READ hasToken NOTIFY tokenChanged)
    Q_PROPERTY(qreal tokenFreshness READ tokenFreshness NOTIFY tokenChanged)
    Q_PROPERTY(int secondsToRenewal READ secondsToRenewal NOTIFY tokenChanged)
    Q_PROPERTY(int tokenRenewals READ tokenRenewals NOTIFY tokenChanged)
    /// What is wrong with the address last tried; empty: nothing.
    Q_PROPERTY(QString addressFault READ addressFault NOTIFY addressFaultChanged)
    /// What is wrong with the project last named; empty: nothing.
    Q_PROPERTY(QString projectFault READ projectFault NOTIFY addressFaultChanged)
    /// For copying; empty: nothing but what was typed is wrong.
    Q_PROPERTY(QString addressFaultCode READ addressFaultCode NOTIFY addressFaultChanged)
    /// The way there may be what is wrong with it: the network's settings may help.
    Q_PROPERTY(bool isWayWrong READ isWayWrong NOTIFY addressFaultChanged)
    /// A broker is asked whether it is there.
    Q_PROPERTY(bool isTrying READ isTrying NOTIFY addressFaultChanged)
    /// This build can run an agent of its own.
    Q_PROPERTY(bool hasAgent READ hasAgent CONSTANT)
    /// The broker's users sign in.
    Q_PROPERTY(bool hasAccount READ hasAccount NOTIFY settingsChanged)
    /// What was found at the start, until somebody has read it; empty: nothing.
    Q_PROPERTY(QString notice READ notice NOTIFY noticeChanged)

public:
    enum Connection { Off, Busy, Good, Bad };
    Q_ENUM(Connection)

    /// Asks a broker whether it is there; tells why not, or nothing. Another question takes the place of one that waits.
    using TryBroker = std::function<void(const std::string& url, std::function<void(std::optional<core::Error>)> done)>;

    struct Dependencies {
        core::Conversation& conversation;
        const core::Clock& clock;
        core::LiveSettings& settings;
        bool hasAgent = true;
        /// A broker is shown something else than a signed-in user's token.
        bool hasCredential = false;
        /// Null: every address is taken as it is.
        TryBroker tryBroker = {};
    };

    explicit ShellViewModel(Dependencies dependencies, QObject* parent = nullptr);
    ~ShellViewModel() override;

    /// The first click: from then on this computer, and a conversation at once.
    Q_INVOKABLE void tryThisComputer();
    /// Whether it was an address, and a name or nothing. Where it was not, or no broker answers there, `addressFault` or `projectFault` says so
    /// and nothing changes.
    Q_INVOKABLE bool useBroker(const QString& address, const QString& project = {});
    Q_INVOKABLE void forgetAddressFault();
    Q_INVOKABLE void copyAddressFaultCode() const;
    Q_INVOKABLE void dismissNotice();
    /// The settings were damaged, and are kept in this file.
    void tellDamagedSettings(const QString& keptAs);
    /// So were the conversations.
    void tellDamagedHistory(const QString& keptAs);
    /// Somebody has signed in: that nobody was known is over.
    void accountReady();

    [[nodiscard]] bool isFirstRun() const;
    [[nodiscard]] bool hasAccount() const;
    [[nodiscard]] QString profileName() const;
    [[nodiscard]] int colourScheme() const { return static_cast<int>(m_deps.settings.current().colourScheme); }
    [[nodiscard]] bool isMotionReduced() const { return m_deps.settings.current().isMotionReduced; }
    [[nodiscard]] Connection connection() const;
    [[nodiscard]] QString connectionText() const;
    [[nodiscard]] bool hasToken() const { return m_token.isKnown(); }
    [[nodiscard]] qreal tokenFreshness() const { return m_token.freshness(m_deps.clock.now()); }
    [[nodiscard]] int secondsToRenewal() const;
    [[nodiscard]] int tokenRenewals() const { return m_token.renewals(); }
    [[nodiscard]] QString addressFault() const { return m_addressFault; }
    [[nodiscard]] QString projectFault() const { return m_projectFault; }
    [[nodiscard]] QString addressFaultCode() const { return m_addressFaultCode; }
    [[nodiscard]] bool isWayWrong() const { return m_isWayWrong; }
    [[nodiscard]] bool isTrying() const { return m_isTrying; }
    [[nodiscard]] bool hasAgent() const { return m_deps.hasAgent; }
    [[nodiscard]] QString notice() const { return m_notice; }

Q_SIGNALS:
    void settingsChanged();
    void profileNameChanged();
    void connectionChanged();
    void tokenChanged();
    void addressFaultChanged();
    void noticeChanged();
    /// The broker does not know whoever talks.
    void notAuthorised();
    /// Somebody should sign in: the page for that is to be shown.
    void accountWanted();
    /// Somebody wants to talk, from another page than the conversation's.
    void talkWanted();
    /// Another start of the program wants to be seen: the window comes to the front.
    void raiseWanted();

private:
    void conversationTold(const core::SessionNotice& notice) override;
    void use(core::Settings settings);
    void useFound(const std::string& brokerUrl, const std::string& project);
    void setAddressFault(const QString& words);
    void setAddressFault(const core::Error& error);
    void forgetFailure();

    Dependencies m_deps;
    core::Phase m_phase = core::Phase::Idle;
    /// The settings of the running conversation.
    std::optional<core::Settings> m_startedWith;
    bool m_hasFailed = false;
    bool m_wasRefused = false;
    /// For its project.
    bool m_wasProjectRefused = false;
    /// What was set when it failed.
    core::Settings m_failedWith;
    core::TokenAge m_token;
    QString m_addressFault;
    QString m_projectFault;
    QString m_addressFaultCode;
    bool m_isWayWrong = false;
    bool m_isTrying = false;
    QString m_notice;
    QTimer m_second;
};

} // namespace vivavoce::ui
