#pragma once

#include "tests/support/gemini_stand_in.h"

#include <QByteArray>
#include <QWebSocket>
#include <QWebSocketServer>

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace vivavoce::tests {

/// What stands in for Gemini, behind a real WebSocket: binary frames, and one of Google's two doors.
class GeminiServer {
public:
    struct Door {
        const char* path;
        const char* field;
        /// What the field begins with.
        const char* shown;
        bool opensOnce;
    };
    /// For ephemeral tokens, each of which opens one session; and for the holder of the key.
    static constexpr Door kForTokens{
        "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContentConstrained", "Authorization",
        "Token auth_tokens/", true};
    static constexpr Door kForTheKey{"/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
        "x-goog-api-key", "gemini-key-marker", false};

    explicit GeminiServer(Door door) : m_door(door), m_server(QStringLiteral("gemini"), QWebSocketServer::NonSecureMode)
    {
        QObject::connect(&m_server, &QWebSocketServer::newConnection, &m_server, [this] { admit(); });
        m_server.listen(QHostAddress::LocalHost);
    }

    [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(m_server.serverPort()); }
    [[nodiscard]] std::string url() const { return "ws://" + host() + m_door.path; }
    [[nodiscard]] std::size_t connections() const { return m_lines.size(); }
    [[nodiscard]] GeminiStandIn::Connection& last() { return *m_lines.back()->connection; }

    GeminiStandIn standIn;

private:
    struct Line {
        std::unique_ptr<QWebSocket> socket;
        std::unique_ptr<GeminiStandIn::Connection> connection;
    };

    void admit()
    {
        auto line = std::make_unique<Line>();
        line->socket.reset(m_server.nextPendingConnection());
        QWebSocket* const socket = line->socket.get();
        const QByteArray shown = socket->request().rawHeader(m_door.field);
        const bool isWelcome = shown.startsWith(m_door.shown)
            && socket->requestUrl().path() == QString::fromLatin1(m_door.path) && !socket->requestUrl().hasQuery();
        if (!isWelcome || (!m_used.insert(shown.toStdString()).second && m_door.opensOnce)) {
            socket->close(static_cast<QWebSocketProtocol::CloseCode>(1008), QStringLiteral("Permission denied"));
        }
        line->connection = std::make_unique<GeminiStandIn::Connection>(
            standIn, [socket](const std::string& text) { socket->sendBinaryMessage(QByteArray::fromStdString(text)); },
            [socket](const core::TransportClose& close) {
                socket->close(
                    static_cast<QWebSocketProtocol::CloseCode>(close.code), QString::fromStdString(close.reason));
            });
        QObject::connect(socket, &QWebSocket::textMessageReceived, socket,
            [connection = line->connection.get()](const QString& text) { connection->heard(text.toStdString()); });
        m_lines.push_back(std::move(line));
    }

    const Door m_door;
    QWebSocketServer m_server;
    std::vector<std::unique_ptr<Line>> m_lines;
    std::set<std::string> m_used;
};

} // namespace vivavoce::tests
