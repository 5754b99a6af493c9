#include "ui/shell/shell_view_model.h"

#include "ui/style/error_text.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QUrl>

#include <utility>

namespace vivavoce::ui {
namespace {

using core::Phase;

constexpr std::chrono::milliseconds kSecond{1'000};

bool isSameAgent(const core::Settings& a, const core::Settings& b)
{
    return a.profile == b.profile && (a.profile != core::Profile::Broker || a.brokerUrl == b.brokerUrl);
}

/// Behind a proxy that is not set, a broker that is there is one that does not answer.
bool mayHelpToSetTheNetwork(const core::Error& error)
{
    const bool isSilent = error.code == core::ErrorCode::BrokerUnreachable || error.code == core::ErrorCode::Timeout;
    return errorText(error).action == ErrorAction::ShowNetworkSettings || (isSilent && !isOfTheWay(error));
}

} // namespace

ShellViewModel::ShellViewModel(Dependencies dependencies, QObject* parent) : QObject(parent), m_deps(dependencies)
{
    m_second.setInterval(kSecond);
    connect(&m_second, &QTimer::timeout, this, &ShellViewModel::tokenChanged);
    m_deps.settings.follow([this](const core::Settings& settings) {
        // What went wrong elsewhere, or for another project, says nothing about the next conversation.
        const bool isForAnother = core::projectOf(settings) != core::projectOf(m_failedWith);
        if (!isSameAgent(settings, m_failedWith) || (m_wasProjectRefused && isForAnother)) {
            forgetFailure();
        }
        Q_EMIT settingsChanged();
        Q_EMIT profileNameChanged();
    });
    m_deps.conversation.add(*this);
}

ShellViewModel::~ShellViewModel()
{
    m_deps.conversation.remove(*this);
}

void ShellViewModel::tryThisComputer()
{
    core::Settings settings = m_deps.settings.current();
    settings.profile = core::Profile::ThisComputer;
    use(std::move(settings));
    m_deps.conversation.start();
}

bool ShellViewModel::useBroker(const QString& address, const QString& project)
{
    const auto checked = core::brokerAddress(address.toStdString());
    if (!checked) {
        setAddressFault(addressFaultText(checked.error()));
        return false;
    }
    const std::string name = project.trimmed().toStdString();
    if (const auto fault = core::projectNameFault(name)) {
        m_projectFault = nameFaultText(*fault);
        setAddressFault(QString());
        return false;
    }
    if (!m_deps.tryBroker) {
        useFound(*checked, name);
        return true;
    }
    m_projectFault.clear();
    m_isTrying = true;
    setAddressFault(QString());
    m_deps.tryBroker(*checked, [this, url = *checked, name](const std::optional<core::Error>& error) {
        // Somebody may have gone elsewhere meanwhile.
        if (!std::exchange(m_isTrying, false)) {
            return;
        }
        if (error) {
            setAddressFault(*error);
        } else {
            setAddressFault(QString());
            useFound(url, name);
        }
    });
    return true;
}

void ShellViewModel::setAddressFault(const QString& words)
{
    m_addressFault = words;
    m_addressFaultCode.clear();
    m_isWayWrong = false;
    Q_EMIT addressFaultChanged();
}

void ShellViewModel::setAddressFault(const core::Error& error)
{
    m_addressFault = errorText(error).sentence;
    m_addressFaultCode = errorCodeText(error);
    m_isWayWrong = mayHelpToSetTheNetwork(error);
    Q_EMIT addressFaultChanged();
}

void ShellViewModel::copyAddressFaultCode() const
{
    QGuiApplication::clipboard()->setText(m_addressFaultCode);
}

void ShellViewModel::useFound(const std::string& brokerUrl, const std::string& project)
{
    core::Settings settings = m_deps.settings.current();
    settings.profile = core::Profile::Broker;
    settings.brokerUrl = brokerUrl;
    core::nameProject(settings, project);
    use(std::move(settings));
    if (hasAccount()) {
        Q_EMIT accountWanted();
    }
}

void ShellViewModel::forgetAddressFault()
{
    if (m_isTrying || !m_addressFault.isEmpty() || !m_projectFault.isEmpty()) {
        m_isTrying = false;
        m_projectFault.clear();
        setAddressFault(QString());
    }
}

void ShellViewModel::tellDamagedSettings(const QString& keptAs)
{
    m_notice = tr("The settings were damaged. What could not be read is as at the first start; the old file is %1")
                   .arg(keptAs);
    Q_EMIT noticeChanged();
}

void ShellViewModel::tellDamagedHistory(const QString& keptAs)
{
    const QString told =
        tr("The conversations that were kept here were damaged. New ones are kept in a new file; the old file is %1")
            .arg(keptAs);
    m_notice = m_notice.isEmpty() ? told : m_notice + QLatin1Char('\n') + told;
    Q_EMIT noticeChanged();
}

void ShellViewModel::dismissNotice()
{
    m_notice.clear();
    Q_EMIT noticeChanged();
}

void ShellViewModel::accountReady()
{
    if (m_wasRefused) {
        forgetFailure();
    }
}

void ShellViewModel::forgetFailure()
{
    if (std::exchange(m_hasFailed, false)) {
        Q_EMIT connectionChanged();
    }
}

void ShellViewModel::use(core::Settings settings)
{
    forgetAddressFault();
    // Where it cannot be saved it holds for this run, and is asked for again at the next start.
    static_cast<void>(m_deps.settings.change(settings));
}

bool ShellViewModel::isFirstRun() const
{
    return m_deps.settings.current().profile == core::Profile::None;
}

bool ShellViewModel::hasAccount() const
{
    return m_deps.settings.current().profile == core::Profile::Broker && !m_deps.hasCredential;
}

QString ShellViewModel::profileName() const
{
    const core::Settings& settings = m_startedWith ? *m_startedWith : m_deps.settings.current();
    switch (settings.profile) {
    case core::Profile::None:
        return tr("Welcome");
    case core::Profile::ThisComputer:
        return tr("This computer");
    case core::Profile::Broker:
        return QUrl(QString::fromStdString(settings.brokerUrl)).host();
    }
    return {};
}

ShellViewModel::Connection ShellViewModel::connection() const
{
    switch (m_phase) {
    case Phase::Idle:
    case Phase::Closing:
        return Off;
    case Phase::Ended:
        return m_hasFailed ? Bad : Off;
    case Phase::Live:
        return Good;
    default:
        return Busy;
    }
}

QString ShellViewModel::connectionText() const
{
    switch (connection()) {
    case Off:
        return tr("Not connected");
    case Busy:
        return m_phase == Phase::Waiting ? tr("Waiting to connect again") : tr("Connecting…");
    case Good:
        return tr("Connected");
    case Bad:
        return tr("The connection has failed");
    }
    return {};
}

int ShellViewModel::secondsToRenewal() const
{
    return static_cast<int>((m_token.untilRenewal(m_deps.clock.now()).count() + 999) / 1000);
}

void ShellViewModel::conversationTold(const core::SessionNotice& notice)
{
    if (const auto* changed = std::get_if<core::session_notice::PhaseChanged>(&notice)) {
        m_phase = changed->phase;
        m_hasFailed = false;
        if (!m_startedWith && m_phase != Phase::Idle && m_phase != Phase::Ended) {
            m_startedWith = m_deps.settings.current();
            Q_EMIT profileNameChanged();
        }
        Q_EMIT connectionChanged();
    } else if (const auto* token = std::get_if<core::session_notice::TokenChanged>(&notice)) {
        if (token->news == core::TokenNews::Acquired || token->news == core::TokenNews::Refreshed) {
            m_token.acquired(m_deps.clock.now(), token->lifetime, token->renewIn);
            m_second.start();
            Q_EMIT tokenChanged();
        } else if (token->news != core::TokenNews::Failed) {
            m_token.lost();
            Q_EMIT tokenChanged();
        }
    } else if (const auto* ended = std::get_if<core::session_notice::Ended>(&notice)) {
        m_phase = Phase::Ended;
        m_hasFailed = ended->error.has_value();
        m_wasProjectRefused = m_hasFailed && errorText(*ended->error).action == ErrorAction::ShowProject;
        m_wasRefused = m_hasFailed && ended->error->code == core::ErrorCode::NotAuthorised && !m_wasProjectRefused;
        m_failedWith = m_deps.settings.current();
        m_startedWith.reset();
        m_token.forget();
        m_second.stop();
        Q_EMIT tokenChanged();
        Q_EMIT connectionChanged();
        Q_EMIT profileNameChanged();
        if (m_wasRefused && hasAccount()) {
            Q_EMIT notAuthorised();
        }
    }
}

} // namespace vivavoce::ui
