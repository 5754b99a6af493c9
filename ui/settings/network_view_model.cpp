#include "ui/settings/network_view_model.h"

#include "ui/style/error_text.h"
#include "ui/style/typed_path.h"

#include <utility>

namespace vivavoce::ui {

NetworkViewModel::NetworkViewModel(core::LiveSettings& settings, core::CheckCaFile check, Save save, QObject* parent)
    : QObject(parent), m_settings(settings), m_check(std::move(check)), m_save(std::move(save)), m_told(now())
{
    m_settings.follow([this](const core::Settings&) { told(); });
}

bool NetworkViewModel::useProxy(const QString& address)
{
    const QString typed = address.trimmed();
    const auto found = core::proxyAddress(typed.toStdString());
    if (!found) {
        m_proxyFault = proxyFaultText(found.error());
        Q_EMIT changed();
        return false;
    }
    core::NetworkChoice choice = now();
    choice.proxy = core::ProxyChoice::Own;
    choice.proxyUrl = typed.toStdString();
    m_proxyFault.clear();
    m_save(choice);
    Q_EMIT changed();
    return true;
}

void NetworkViewModel::forgetProxyFault()
{
    if (!m_proxyFault.isEmpty()) {
        m_proxyFault.clear();
        Q_EMIT changed();
    }
}

bool NetworkViewModel::useCaFile(const QString& path)
{
    core::NetworkChoice choice = now();
    choice.caFile = typedPath(path).toStdString();
    if (const auto fault = faultOf(choice.caFile)) {
        m_caFault = caFileFaultText(*fault);
        Q_EMIT changed();
        return false;
    }
    m_caFault.clear();
    m_save(choice);
    Q_EMIT changed();
    return true;
}

void NetworkViewModel::forgetCaFault()
{
    if (!m_caFault.isEmpty()) {
        m_caFault.clear();
        Q_EMIT changed();
    }
}

void NetworkViewModel::look()
{
    const auto fault = faultOf(now().caFile);
    m_caFault = fault ? caFileFaultText(*fault) : QString();
    m_proxyFault.clear();
    Q_EMIT changed();
}

std::optional<core::CaFileFault> NetworkViewModel::faultOf(const std::string& path) const
{
    return path.empty() || !m_check ? std::nullopt : m_check(path);
}

void NetworkViewModel::choose(core::ProxyChoice proxy)
{
    core::NetworkChoice choice = now();
    choice.proxy = proxy;
    m_proxyFault.clear();
    m_save(choice);
    Q_EMIT changed();
}

void NetworkViewModel::told()
{
    const core::NetworkChoice before = std::exchange(m_told, now());
    if (before == m_told) {
        return;
    }
    Q_EMIT changed();
    if (before.proxyUrl != m_told.proxyUrl) {
        Q_EMIT proxyUrlChanged();
    }
    if (before.caFile != m_told.caFile) {
        Q_EMIT caFileChanged();
    }
}

} // namespace vivavoce::ui
