#include "app/platform/connection_faults.h"

#include "core/ports/connection_fault.h"

#include <QNetworkProxy>
#include <QUrl>

#include <algorithm>
#include <array>

namespace vivavoce::platform {
namespace {

namespace fault = core::connection_fault;

std::string faultOfCertificate(const QList<QSslError>& errors)
{
    const auto isAny = [&](std::initializer_list<QSslError::SslError> kinds) {
        return std::any_of(errors.begin(), errors.end(), [&](const QSslError& error) {
            return std::find(kinds.begin(), kinds.end(), error.error()) != kinds.end();
        });
    };
    // Whoever is not trusted may say what they like of dates and hosts.
    if (isAny({QSslError::UnableToGetIssuerCertificate, QSslError::UnableToGetLocalIssuerCertificate,
            QSslError::UnableToVerifyFirstCertificate, QSslError::SelfSignedCertificate,
            QSslError::SelfSignedCertificateInChain, QSslError::CertificateUntrusted, QSslError::InvalidCaCertificate,
            QSslError::CertificateSignatureFailed, QSslError::CertificateRejected})) {
        return fault::kCertificateUntrusted;
    }
    if (isAny({QSslError::CertificateExpired, QSslError::CertificateNotYetValid})) {
        return fault::kCertificateExpired;
    }
    return isAny({QSslError::HostNameMismatch}) ? fault::kCertificateElsewhere : "";
}

struct Words {
    const char* beginning;
    const char* fault;
};

/// Of Qt's socket engines for proxies, the closest first; QNetworkReply hands most of them on without a code. Beginnings, for behind them
/// there may be the name of any host.
constexpr std::array kWords{Words{"Proxy connection refused", fault::kProxyUnreachable},
    Words{"Proxy server connection timed out", fault::kProxyUnreachable},
    Words{"Connection to proxy refused", fault::kProxyUnreachable},
    Words{"Connection to proxy timed out", fault::kProxyUnreachable},
    Words{"Proxy server not found", fault::kProxyNotFound}, Words{"Proxy host not found", fault::kProxyNotFound},
    Words{"Proxy requires authentication", fault::kProxyPassword},
    Words{"Proxy authentication failed", fault::kProxyPassword}, Words{"Proxy ", fault::kProxyRefused},
    Words{"Connection to proxy ", fault::kProxyRefused},
    Words{"Error communicating with HTTP proxy", fault::kProxyRefused}, Words{"SOCKS", fault::kProxyRefused},
    Words{"Did not receive HTTP response from proxy", fault::kProxyRefused},
    Words{"Error parsing authentication request from proxy", fault::kProxyRefused},
    Words{"Unknown SOCKSv5 proxy error", fault::kProxyRefused}, Words{"Socks5 ", fault::kProxyPassword},
    Words{"Connection not allowed by SOCKSv5 server", fault::kProxyRefused},
    Words{"General SOCKSv5 server failure", fault::kProxyRefused}};

std::string faultOfWords(const QString& words)
{
    const auto* const known = std::find_if(kWords.begin(), kWords.end(),
        [&](const Words& each) { return words.startsWith(QLatin1String(each.beginning)); });
    return known == kWords.end() ? "" : known->fault;
}

/// Then the only name that is looked for here is the proxy's, whichever one Qt tells.
bool isProxied(const QUrl& url)
{
    const auto proxies = QNetworkProxyFactory::proxyForQuery(QNetworkProxyQuery(url));
    return !proxies.isEmpty() && proxies.front().type() != QNetworkProxy::NoProxy;
}

} // namespace

std::string faultOf(QAbstractSocket::SocketError error, const QString& words, const QList<QSslError>& tls)
{
    switch (error) {
    case QAbstractSocket::ProxyConnectionRefusedError:
    case QAbstractSocket::ProxyConnectionTimeoutError:
        return fault::kProxyUnreachable;
    case QAbstractSocket::ProxyNotFoundError:
        return fault::kProxyNotFound;
    case QAbstractSocket::ProxyAuthenticationRequiredError:
        return fault::kProxyPassword;
    case QAbstractSocket::ProxyConnectionClosedError:
    case QAbstractSocket::ProxyProtocolError:
        return fault::kProxyRefused;
    case QAbstractSocket::SslHandshakeFailedError:
        return faultOfCertificate(tls);
    default:
        return faultOfWords(words);
    }
}

std::string faultOf(const QNetworkReply& reply, const QList<QSslError>& tls)
{
    switch (reply.error()) {
    case QNetworkReply::HostNotFoundError:
        return isProxied(reply.url()) ? fault::kProxyNotFound : "";
    case QNetworkReply::ProxyConnectionRefusedError:
    case QNetworkReply::ProxyTimeoutError:
        return fault::kProxyUnreachable;
    case QNetworkReply::ProxyNotFoundError:
        return fault::kProxyNotFound;
    case QNetworkReply::ProxyAuthenticationRequiredError:
        return fault::kProxyPassword;
    case QNetworkReply::ProxyConnectionClosedError:
    case QNetworkReply::UnknownProxyError:
        return fault::kProxyRefused;
    case QNetworkReply::SslHandshakeFailedError:
        return faultOfCertificate(tls);
    default:
        return faultOfWords(reply.errorString());
    }
}

} // namespace vivavoce::platform
