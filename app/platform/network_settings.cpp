#include "app/platform/network_settings.h"

#include "app/platform/ca_file.h"
#include "app/platform/loopback.h"
#include "core/ports/connection_fault.h"
#include "core/settings/proxy_address.h"

#include <QNetworkProxy>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QUrl>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <optional>

namespace vivavoce::platform {
namespace {

using core::Error;
using core::ErrorCode;

/// Asked for each connection.
class Routes final : public QNetworkProxyFactory {
public:
    /// Without a proxy it asks the system, where it `asksSystem`.
    Routes(std::optional<QNetworkProxy> proxy, bool asksSystem, QStringList direct)
        : m_proxy(std::move(proxy)), m_asksSystem(asksSystem), m_direct(std::move(direct))
    {
    }

    QList<QNetworkProxy> queryProxy(const QNetworkProxyQuery& query) override
    {
        const auto type = query.queryType();
        const bool isOurs = type == QNetworkProxyQuery::TcpSocket || type == QNetworkProxyQuery::UrlRequest;
        // What listens, listens here.
        if (!isOurs || isDirect(query.peerHostName())) {
            return {QNetworkProxy(QNetworkProxy::NoProxy)};
        }
        if (m_proxy) {
            return {*m_proxy};
        }
        return m_asksSystem ? systemProxyForQuery(query) : QList{QNetworkProxy(QNetworkProxy::NoProxy)};
    }

private:
    [[nodiscard]] bool isDirect(const QString& host) const
    {
        QUrl url;
        url.setHost(host);
        if (host.isEmpty() || isLoopback(url)) {
            return true;
        }
        return std::any_of(m_direct.begin(), m_direct.end(), [&](const QString& one) {
            return one == QLatin1String("*") || host.compare(one, Qt::CaseInsensitive) == 0
                || host.endsWith(QLatin1Char('.') + one, Qt::CaseInsensitive);
        });
    }

    std::optional<QNetworkProxy> m_proxy;
    bool m_asksSystem;
    QStringList m_direct;
};

core::Unexpected<Error> cannotFollow(const char* fault, std::string why)
{
    return core::Unexpected<Error>(Error{ErrorCode::BadConfiguration, std::move(why), std::nullopt, fault});
}

/// `source` says whose word it is. The address itself is not told: there may be a password in it.
core::Expected<QNetworkProxy, Error> proxyAt(const std::string& address, const std::string& source)
{
    const auto found = core::proxyAddress(address);
    if (!found) {
        return cannotFollow(core::connection_fault::kProxyChoice,
            source
                + (found.error() == core::ProxyFault::HasCredentials
                        ? " holds a name or a password: proxies that ask for one are not supported"
                        : " is not the address of a proxy: http://host:port or socks5://host:port"));
    }
    return QNetworkProxy(found->isSocks ? QNetworkProxy::Socks5Proxy : QNetworkProxy::HttpProxy,
        QString::fromStdString(found->host), found->port);
}

struct FromEnvironment {
    const char* name = nullptr;
    QString value;
};

/// The first of them that says something; either spelling is in use.
FromEnvironment fromEnvironment(std::initializer_list<const char*> names)
{
    for (const char* name : names) {
        if (QString value = qEnvironmentVariable(name).trimmed(); !value.isEmpty()) {
            return {name, std::move(value)};
        }
    }
    return {};
}

QStringList exceptions()
{
    QStringList hosts;
    for (QString host : fromEnvironment({"no_proxy", "NO_PROXY"}).value.split(QLatin1Char(','), Qt::SkipEmptyParts)) {
        host = host.trimmed();
        while (host.startsWith(QLatin1String("*.")) || host.startsWith(QLatin1Char('.'))) {
            host.remove(0, 1);
        }
        if (!host.isEmpty()) {
            hosts << host;
        }
    }
    return hosts;
}

core::Expected<std::unique_ptr<Routes>, Error> routesOf(const core::NetworkChoice& choice)
{
    std::optional<QNetworkProxy> proxy;
    QStringList direct;
    const auto take = [&proxy](const std::string& address, const std::string& source) -> core::Expected<void, Error> {
        auto found = proxyAt(address, source);
        if (!found) {
            return core::Unexpected<Error>(found.error());
        }
        proxy = *found;
        return {};
    };
    core::Expected<void, Error> taken;
    if (choice.proxy == core::ProxyChoice::Own) {
        taken = take(choice.proxyUrl, "the proxy in the settings");
    } else if (choice.proxy == core::ProxyChoice::System) {
        direct = exceptions();
        // All that leaves this computer is encrypted: http_proxy is of no concern.
        const auto found = fromEnvironment({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
        if (found.name != nullptr) {
            taken = take(found.value.toStdString(), found.name);
        }
    }
    if (!taken) {
        return core::Unexpected<Error>(taken.error());
    }
    return std::make_unique<Routes>(proxy, choice.proxy == core::ProxyChoice::System, direct);
}

} // namespace

core::Expected<void, Error> useNetwork(const core::NetworkChoice& choice)
{
    // What the program began with, so that an authority that is no longer chosen is no longer trusted.
    static const QSslConfiguration beginning = QSslConfiguration::defaultConfiguration();
    auto routes = routesOf(choice);
    if (!routes) {
        return core::Unexpected<Error>(routes.error());
    }
    QSslConfiguration trust = beginning;
    if (!choice.caFile.empty()
        && !trust.addCaCertificates(
            QString::fromStdString(choice.caFile), QSsl::Pem, QSslCertificate::PatternSyntax::FixedString)) {
        return cannotFollow(
            core::connection_fault::kCaFileChoice, choice.caFile + " holds no certificates (PEM), or cannot be read");
    }
    QSslConfiguration::setDefaultConfiguration(trust);
    QNetworkProxyFactory::setApplicationProxyFactory(routes->release());
    return {};
}

} // namespace vivavoce::platform
