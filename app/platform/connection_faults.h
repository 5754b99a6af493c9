#pragma once

#include <QAbstractSocket>
#include <QList>
#include <QNetworkReply>
#include <QSslError>

#include <string>

namespace vivavoce::platform {

/// One of core::connection_fault; empty: none of those is why. Qt's own words are looked at too: not every refusal of a proxy has a code.
[[nodiscard]] std::string faultOf(
    QAbstractSocket::SocketError error, const QString& words, const QList<QSslError>& tls);
[[nodiscard]] std::string faultOf(const QNetworkReply& reply, const QList<QSslError>& tls);

} // namespace vivavoce::platform
