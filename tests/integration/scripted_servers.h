#pragma once

#include <QByteArray>
#include <QTcpServer>
#include <QTcpSocket>
#include <QWebSocket>
#include <QWebSocketServer>

#include <functional>
#include <memory>
#include <vector>

namespace vivavoce::tests {

/// A TCP server that answers every request with the same bytes, or with none, and may hang up.
class ScriptedHttpServer {
public:
    enum class After { KeepOpen, HangUp };

    ScriptedHttpServer(QByteArray answer, After after) : m_answer(std::move(answer)), m_after(after)
    {
        QObject::connect(&m_server, &QTcpServer::newConnection, &m_server, [this] {
            QTcpSocket* socket = m_server.nextPendingConnection();
            QObject::connect(socket, &QTcpSocket::readyRead, socket, [this, socket] {
                m_received += socket->readAll();
                if (!m_received.contains("\r\n\r\n")) {
                    return;
                }
                ++m_requests;
                m_received.clear();
                socket->write(m_answer);
                if (m_after == After::HangUp) {
                    socket->disconnectFromHost();
                }
            });
        });
        m_server.listen(QHostAddress::LocalHost);
    }

    [[nodiscard]] QString url() const { return QStringLiteral("http://127.0.0.1:%1").arg(m_server.serverPort()); }
    [[nodiscard]] int requests() const { return m_requests; }

    static QByteArray response(const char* status, const QByteArray& body, const QByteArray& headers = {})
    {
        return QByteArray("HTTP/1.1 ") + status
            + "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
            + QByteArray::number(body.size()) + "\r\n" + headers + "\r\n" + body;
    }

    /// A broker's answer that sends the client to `socketUrl`.
    static QByteArray token(const QString& socketUrl)
    {
        return response("200 OK",
            QByteArray(R"({"token":"ek_marker","tokenType":"Bearer","sessionId":"voice_1_x","expiresIn":60,)")
                + R"("expiresAt":"2031-01-01T00:01:00Z","refreshAfter":"2031-01-01T00:00:48Z","provider":"openai","model":"m",)"
                + R"("connect":{"url":")" + socketUrl.toUtf8() + R"(","auth":"bearer","dialect":"openai-ga",)"
                + R"("audio":{"encoding":"pcm16","rate":24000}},"limits":{}})");
    }

private:
    QTcpServer m_server;
    QByteArray m_answer;
    After m_after;
    QByteArray m_received;
    int m_requests = 0;
};

/// A WebSocket server that plays a provider: `greet` runs on every connection, `hear` on every message.
class ScriptedProvider {
public:
    using Greet = std::function<void(QWebSocket&)>;
    using Hear = std::function<void(QWebSocket&, const QString&)>;

    explicit ScriptedProvider(Greet greet, Hear hear = {})
        : m_server(QStringLiteral("provider"), QWebSocketServer::NonSecureMode)
    {
        QObject::connect(&m_server, &QWebSocketServer::newConnection, &m_server, [this, greet, hear] {
            m_sockets.emplace_back(m_server.nextPendingConnection());
            QWebSocket* socket = m_sockets.back().get();
            m_authorization = socket->request().rawHeader("Authorization");
            QObject::connect(socket, &QWebSocket::textMessageReceived, socket, [socket, hear](const QString& message) {
                if (hear) {
                    hear(*socket, message);
                }
            });
            greet(*socket);
        });
        m_server.listen(QHostAddress::LocalHost);
    }

    [[nodiscard]] QString url() const
    {
        return QStringLiteral("ws://127.0.0.1:%1/v1/realtime").arg(m_server.serverPort());
    }
    [[nodiscard]] std::size_t connections() const { return m_sockets.size(); }
    [[nodiscard]] QByteArray authorization() const { return m_authorization; }

private:
    QWebSocketServer m_server;
    std::vector<std::unique_ptr<QWebSocket>> m_sockets;
    QByteArray m_authorization;
};

} // namespace vivavoce::tests
