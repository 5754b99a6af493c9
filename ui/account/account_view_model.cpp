#include "ui/account/account_view_model.h"

#include "ui/style/error_text.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QUrl>

namespace vivavoce::ui {
namespace {

using core::ErrorCode;

} // namespace

AccountViewModel::AccountViewModel(Dependencies dependencies, QObject* parent)
    : QObject(parent), m_deps(dependencies), m_self(std::make_shared<AccountViewModel*>(this))
{
    m_deps.account.follow([weak = std::weak_ptr<AccountViewModel*>(m_self)](const core::SignInStatus&) {
        if (const auto self = weak.lock()) {
            Q_EMIT(*self)->changed();
        }
    });
    m_deps.settings.follow([weak = std::weak_ptr<AccountViewModel*>(m_self)](const core::Settings&) {
        if (const auto self = weak.lock()) {
            Q_EMIT(*self)->offerChanged();
            Q_EMIT(*self)->changed();
        }
    });
}

AccountViewModel::~AccountViewModel() = default;

void AccountViewModel::useCode()
{
    // Whoever gives the browser up gets something else for it.
    if (!isCodeOffered()) {
        return;
    }
    m_deps.account.cancel();
    m_deps.account.start(core::Account::Way::Device);
}

void AccountViewModel::copyUserCode() const
{
    QGuiApplication::clipboard()->setText(userCode());
}

void AccountViewModel::copyErrorCode() const
{
    QGuiApplication::clipboard()->setText(errorCode());
}

bool AccountViewModel::isOffered() const
{
    return m_deps.settings.current().profile == core::Profile::Broker && !m_deps.hasCredential;
}

QString AccountViewModel::broker() const
{
    return QUrl(QString::fromStdString(m_deps.settings.current().brokerUrl)).authority();
}

AccountViewModel::Stage AccountViewModel::stage() const
{
    using From = core::SignInStatus::Stage;
    switch (m_deps.account.status().stage) {
    case From::SignedOut:
        return SignedOut;
    case From::Preparing:
    case From::Exchanging:
        return Busy;
    case From::WaitingForBrowser:
        return WaitingForBrowser;
    case From::WaitingForDevice:
        return WaitingForDevice;
    case From::SignedIn:
        return SignedIn;
    case From::Failed:
        return Failed;
    }
    return SignedOut;
}

QString AccountViewModel::words() const
{
    switch (stage()) {
    case SignedOut:
        return tr("Sign in to talk through %1. Your browser opens; nothing is kept when you close Vivavoce.")
            .arg(broker());
    case Busy:
        return tr("One moment…");
    case WaitingForBrowser:
        return isCodeOffered()
            ? tr("Sign in in your browser, then come back here. Or use another device: you type a code there.")
            : tr("Sign in in your browser, then come back here.");
    case WaitingForDevice:
        return tr("Open this address on any device and type the code.");
    case SignedIn:
        return tr("Signed in as %1").arg(name());
    case Failed:
        return failureWords(m_deps.account.status());
    }
    return {};
}

QString AccountViewModel::errorCode() const
{
    const auto& error = m_deps.account.status().error;
    return error ? errorCodeText(*error) : QString();
}

bool AccountViewModel::isWayWrong() const
{
    const auto& error = m_deps.account.status().error;
    return error && errorText(*error).action == ErrorAction::ShowNetworkSettings;
}

/// Where the same code has another meaning than in a conversation.
QString AccountViewModel::failureWords(const core::SignInStatus& status) const
{
    const core::Error& error = *status.error;
    if (isOfTheWay(error)) {
        return errorText(error).sentence;
    }
    switch (error.code) {
    case ErrorCode::NotAuthorised:
        return error.foreignCode == "access_denied"
            ? tr("You were not signed in. Try again when you like.")
            : tr("You are not signed in any more, or were not let in. Sign in again.");
    case ErrorCode::BadConfiguration:
        return status.isBrowserMissing
            ? tr(
                "No browser opens here, and the place to sign in offers no other way. Set up a browser, then try again.")
            : tr("This broker does not let people sign in from here. Ask whoever runs it.");
    case ErrorCode::ProviderUnreachable:
    case ErrorCode::ProviderFailed:
        return tr("The place to sign in does not answer. Check the network, then try again.");
    case ErrorCode::ProviderMalformed:
        return tr("The place to sign in said something we do not understand. Ask whoever runs your broker.");
    case ErrorCode::Timeout:
        return tr("That took too long. Sign in again.");
    default:
        return errorText(error).sentence;
    }
}

} // namespace vivavoce::ui
