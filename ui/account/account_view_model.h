#pragma once

#include "core/ports/account.h"
#include "core/settings/live_settings.h"

#include <QObject>
#include <QtQml/qqmlregistration.h>

#include <memory>

namespace vivavoce::ui {

/// Who talks, for the page where people sign in and out. No token comes by here.
class AccountViewModel final : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The application makes it")
    /// There is a broker whose users sign in.
    Q_PROPERTY(bool isOffered READ isOffered NOTIFY offerChanged)
    Q_PROPERTY(QString broker READ broker NOTIFY offerChanged)
    Q_PROPERTY(vivavoce::ui::AccountViewModel::Stage stage READ stage NOTIFY changed)
    /// The stage in words, for people and screen readers.
    Q_PROPERTY(QString words READ words NOTIFY changed)
    Q_PROPERTY(QString name READ name NOTIFY changed)
    Q_PROPERTY(QString userCode READ userCode NOTIFY changed)
    Q_PROPERTY(QString verificationUrl READ verificationUrl NOTIFY changed)
    /// A code on another device will do where the browser does not.
    Q_PROPERTY(bool isCodeOffered READ isCodeOffered NOTIFY changed)
    /// "auth.refused" and the like; empty: nothing has failed.
    Q_PROPERTY(QString errorCode READ errorCode NOTIFY changed)
    /// What failed is the way there: the network's settings may help.
    Q_PROPERTY(bool isWayWrong READ isWayWrong NOTIFY changed)

public:
    enum Stage { SignedOut, Busy, WaitingForBrowser, WaitingForDevice, SignedIn, Failed };
    Q_ENUM(Stage)

    struct Dependencies {
        core::Account& account;
        core::LiveSettings& settings;
        /// The broker is shown something else, which needs nobody to sign in.
        bool hasCredential = false;
    };

    explicit AccountViewModel(Dependencies dependencies, QObject* parent = nullptr);
    ~AccountViewModel() override;

    Q_INVOKABLE void signIn() { m_deps.account.start(core::Account::Way::Browser); }
    Q_INVOKABLE void useCode();
    Q_INVOKABLE void openAgain() { m_deps.account.openAgain(); }
    Q_INVOKABLE void cancel() { m_deps.account.cancel(); }
    Q_INVOKABLE void signOut() { m_deps.account.signOut(); }
    /// To the clipboard: neither of the two is secret.
    Q_INVOKABLE void copyUserCode() const;
    Q_INVOKABLE void copyErrorCode() const;

    [[nodiscard]] bool isOffered() const;
    [[nodiscard]] QString broker() const;
    [[nodiscard]] Stage stage() const;
    [[nodiscard]] QString words() const;
    [[nodiscard]] QString name() const { return QString::fromStdString(m_deps.account.status().name); }
    [[nodiscard]] QString userCode() const { return QString::fromStdString(m_deps.account.status().userCode); }
    [[nodiscard]] QString verificationUrl() const
    {
        return QString::fromStdString(m_deps.account.status().verificationUrl);
    }
    [[nodiscard]] bool isCodeOffered() const
    {
        return stage() == WaitingForBrowser && m_deps.account.status().offersDevice;
    }
    [[nodiscard]] QString errorCode() const;
    [[nodiscard]] bool isWayWrong() const;

Q_SIGNALS:
    void changed();
    void offerChanged();

private:
    [[nodiscard]] QString failureWords(const core::SignInStatus& status) const;

    Dependencies m_deps;
    /// What is told later finds nothing here when we are gone.
    std::shared_ptr<AccountViewModel*> m_self;
};

} // namespace vivavoce::ui
