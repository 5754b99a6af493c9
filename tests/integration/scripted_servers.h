#pragma once

#include <QByteArray>
#include <QCryptographicHash>
#include <QTcpServer>
#include <QTcpSocket>
#include <QWebSocket>
#include <QWebSocketServer>

#include <functional>
#include <memory>
#include <utility>
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
                if (!isWhole(m_received)) {
                    return;
                }
                ++m_requests;
                m_lastRequest = std::exchange(m_received, {});
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
    [[nodiscard]] QByteArray lastRequest() const { return m_lastRequest; }

    static QByteArray response(const char* status, const QByteArray& body, const QByteArray& headers = {})
    {
        return QByteArray("HTTP/1.1 ") + status
            + "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
            + QByteArray::number(body.size()) + "\r\n" + headers + "\r\n" + body;
    }

    /// A broker's answer that sends the client to `socketUrl`.
    static QByteArray token(
        const QString& socketUrl, const char* transport = "direct", const char* rates = R"("rate":24000)")
    {
        return response("200 OK",
            QByteArray(R"({"token":"ek_marker","tokenType":"Bearer","sessionId":"voice_1_x","expiresIn":60,)")
                + R"("expiresAt":"2031-01-01T00:01:00Z","refreshAfter":"2031-01-01T00:00:48Z","provider":"openai","model":"m","transport":")"
                + transport + R"(",)" + R"("connect":{"url":")" + socketUrl.toUtf8()
                + R"(","auth":"bearer","dialect":"openai-ga",)" + R"("audio":{"encoding":"pcm16",)" + rates
                + R"(}},"limits":{}})");
    }

private:
    /// Head and body.
    static bool isWhole(const QByteArray& request)
    {
        const qsizetype end = request.indexOf("\r\n\r\n");
        const QByteArray name("\r\ncontent-length:");
        const qsizetype field = request.left(end).toLower().indexOf(name);
        if (end < 0 || field < 0) {
            return end >= 0;
        }
        const qsizetype begin = field + name.size();
        const qlonglong length = request.mid(begin, request.indexOf('\r', begin) - begin).trimmed().toLongLong();
        return request.size() - end - 4 >= length;
    }

    QTcpServer m_server;
    QByteArray m_answer;
    After m_after;
    QByteArray m_received;
    QByteArray m_lastRequest;
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

/// The same, told frame by frame: Qt's own server cannot split a message where it likes. One client at a time.
class FrameProvider {
public:
    using Greet = std::function<void(FrameProvider&)>;
    using Hear = std::function<void(FrameProvider&, const QByteArray&)>;

    FrameProvider(Greet greet, Hear hear) : m_greet(std::move(greet)), m_hear(std::move(hear))
    {
        QObject::connect(&m_server, &QTcpServer::newConnection, &m_server, [this] {
            m_socket = m_server.nextPendingConnection();
            m_received.clear();
            m_isOpen = m_isSilent = false;
            ++m_connections;
            QObject::connect(m_socket, &QTcpSocket::readyRead, m_socket, [this, socket = m_socket] {
                if (socket == m_socket) {
                    read();
                }
            });
        });
        m_server.listen(QHostAddress::LocalHost);
    }

    [[nodiscard]] QString url() const
    {
        return QStringLiteral("ws://127.0.0.1:%1/v1/realtime").arg(m_server.serverPort());
    }
    [[nodiscard]] int connections() const { return m_connections; }
    /// With which clients have closed.
    [[nodiscard]] const std::vector<int>& closeCodes() const { return m_closeCodes; }

    /// Takes what comes and answers nothing, in this connection.
    void fallSilent() { m_isSilent = true; }
    void say(const QByteArray& text) { frame(kFinal | kText, text); }
    void sayInParts(const QByteArray& first, const QByteArray& last)
    {
        frame(kText, first);
        frame(kFinal, last);
    }

private:
    static constexpr int kFinal = 0x80;
    static constexpr int kText = 0x1;
    static constexpr int kClose = 0x8;
    static constexpr int kPing = 0x9;
    static constexpr int kPong = 0xA;

    void frame(int head, const QByteArray& payload)
    {
        QByteArray bytes(1, static_cast<char>(head));
        if (payload.size() < 126) {
            bytes += static_cast<char>(payload.size());
        } else {
            bytes += static_cast<char>(126);
            bytes += static_cast<char>(payload.size() >> 8);
            bytes += static_cast<char>(payload.size() & 0xFF);
        }
        m_socket->write(bytes + payload);
    }

    void read()
    {
        m_received += m_socket->readAll();
        if (!m_isOpen) {
            const qsizetype end = m_received.indexOf("\r\n\r\n");
            if (end < 0) {
                return;
            }
            accept(m_received.left(end));
            m_received.remove(0, end + 4);
        }
        while (readFrame()) {
        }
    }

    void accept(const QByteArray& request)
    {
        const QByteArray name("Sec-WebSocket-Key: ");
        const qsizetype begin = request.indexOf(name) + name.size();
        const QByteArray key = request.mid(begin, request.indexOf('\r', begin) - begin);
        const QByteArray hash =
            QCryptographicHash::hash(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", QCryptographicHash::Sha1);
        m_socket->write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: "
            + hash.toBase64() + "\r\n\r\n");
        m_isOpen = true;
        m_greet(*this);
    }

    /// RFC 6455 §5.2; clients mask what they send.
    bool readFrame()
    {
        const auto byte = [this](qsizetype at) { return static_cast<unsigned char>(m_received[at]); };
        if (m_received.size() < 2) {
            return false;
        }
        qsizetype size = byte(1) & 0x7F;
        const qsizetype lengthBytes = size == 127 ? 8 : size == 126 ? 2 : 0;
        const qsizetype begin = 2 + lengthBytes + 4;
        if (m_received.size() < begin) {
            return false;
        }
        if (lengthBytes > 0) {
            size = 0;
            for (qsizetype i = 0; i < lengthBytes; ++i) {
                size = (size << 8) | byte(2 + i);
            }
        }
        if (m_received.size() < begin + size) {
            return false;
        }
        QByteArray payload = m_received.mid(begin, size);
        for (qsizetype i = 0; i < size; ++i) {
            payload[i] = static_cast<char>(payload[i] ^ m_received[begin - 4 + i % 4]);
        }
        const int what = byte(0) & 0xF;
        m_received.remove(0, begin + size);
        heard(what, payload);
        return true;
    }

    void heard(int what, const QByteArray& payload)
    {
        if (m_isSilent) {
            return;
        }
        if (what == kText) {
            m_hear(*this, payload);
        } else if (what == kPing) {
            frame(kFinal | kPong, payload);
        } else if (what == kClose) {
            m_closeCodes.push_back(payload.size() < 2
                    ? 1005
                    : static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]));
            frame(kFinal | kClose, payload);
            m_socket->disconnectFromHost();
        }
    }

    QTcpServer m_server;
    QTcpSocket* m_socket = nullptr;
    Greet m_greet;
    Hear m_hear;
    QByteArray m_received;
    bool m_isOpen = false;
    bool m_isSilent = false;
    int m_connections = 0;
    std::vector<int> m_closeCodes;
};

} // namespace vivavoce::tests
