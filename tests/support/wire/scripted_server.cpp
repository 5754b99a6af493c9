#include "tests/support/wire/scripted_server.h"

#include "core/protocol/openai/codec.h"

#include <QHostAddress>

#include <algorithm>
#include <utility>

namespace vivavoce::tests {
namespace {

/// The value of a field; names in any case.
QByteArray field(const QByteArray& head, const QByteArray& name)
{
    for (const QByteArray& line : head.split('\n')) {
        const qsizetype colon = line.indexOf(':');
        if (colon > 0 && line.left(colon).trimmed().compare(name, Qt::CaseInsensitive) == 0) {
            return line.mid(colon + 1).trimmed();
        }
    }
    return {};
}

std::string bearerOf(const QByteArray& head)
{
    const QByteArray value = field(head, "Authorization");
    return value.startsWith("Bearer ") ? value.mid(7).toStdString() : std::string();
}

} // namespace

struct ScriptedServer::Client {
    std::unique_ptr<QWebSocket> socket;
    std::unique_ptr<ScriptedSession> session;
};

ScriptedServer::ScriptedServer(core::Executor& executor, ScriptedProviderOptions options, ScriptedProviderLog& log)
    : m_executor(executor),
      m_options(options),
      m_log(log),
      m_webSockets(QStringLiteral("provider"), QWebSocketServer::NonSecureMode)
{
    QObject::connect(&m_tcp, &QTcpServer::newConnection, &m_tcp, [this] {
        while (QTcpSocket* const socket = m_tcp.nextPendingConnection()) {
            accept(socket);
        }
    });
    QObject::connect(&m_webSockets, &QWebSocketServer::newConnection, &m_webSockets, [this] { begin(); });
    m_tcp.listen(QHostAddress::LocalHost);
}

ScriptedServer::~ScriptedServer()
{
    // What ends now tells nobody.
    for (const auto& client : m_clients) {
        client->socket->disconnect();
    }
    *m_self = nullptr;
}

void ScriptedServer::accept(QTcpSocket* socket)
{
    socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    QObject::connect(socket, &QTcpSocket::readyRead, &m_tcp, [this, socket] { read(socket); });
    QObject::connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
}

void ScriptedServer::read(QTcpSocket* socket)
{
    const QByteArray seen = socket->peek(socket->bytesAvailable());
    const qsizetype end = seen.indexOf("\r\n\r\n");
    if (end < 0) {
        return;
    }
    const QByteArray head = seen.left(end + 2);
    const bool isWebSocket = field(head, "Upgrade").compare("websocket", Qt::CaseInsensitive) == 0;
    if (isWebSocket && !m_admits(bearerOf(head))) {
        socket->readAll();
        reply(socket, {401, {}, "{}"});
        return;
    }
    if (isWebSocket) {
        socket->disconnect();
        m_webSockets.handleConnection(socket);
        return;
    }
    const qsizetype length = field(head, "Content-Length").toLongLong();
    if (seen.size() < end + 4 + length) {
        return;
    }
    socket->read(end + 4 + length);
    core::HttpClient::Request request;
    request.method = head.left(head.indexOf(' ')).toStdString();
    request.url = head.mid(head.indexOf(' ') + 1).split(' ').value(0).toStdString();
    request.body = seen.mid(end + 4, length).toStdString();
    if (const QByteArray key = field(head, "Idempotency-Key"); !key.isEmpty()) {
        request.headers.add("Idempotency-Key", key.toStdString());
    }
    reply(socket, m_answers ? m_answers(request, bearerOf(head)) : core::HttpClient::Response{404, {}, "{}"});
}

void ScriptedServer::reply(QTcpSocket* socket, const core::HttpClient::Response& response)
{
    socket->write("HTTP/1.1 " + QByteArray::number(response.status)
        + " Said\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
        + QByteArray::number(static_cast<qlonglong>(response.body.size())) + "\r\n\r\n"
        + QByteArray::fromStdString(response.body));
    socket->disconnectFromHost();
}

void ScriptedServer::begin()
{
    while (m_webSockets.hasPendingConnections()) {
        auto client = std::make_unique<Client>();
        client->socket.reset(m_webSockets.nextPendingConnection());
        QWebSocket* const socket = client->socket.get();
        client->session = std::make_unique<ScriptedSession>(m_executor, m_options, m_log,
            [socket, dialect = quirksOf(m_options.kind).dialect](const core::openai::ServerEvent& event) {
                socket->sendTextMessage(QString::fromStdString(core::openai::encode(event, dialect)));
            });
        QObject::connect(socket, &QWebSocket::textMessageReceived, socket,
            [session = client->session.get()](const QString& message) { session->hear(message.toStdString()); });
        QObject::connect(socket, &QWebSocket::disconnected, &m_tcp, [this, socket] {
            m_goodbyes.push_back(socket->closeCode());
            // We stand in one of its own calls.
            m_executor.post([self = m_self, socket] {
                if (*self != nullptr) {
                    std::erase_if(
                        (*self)->m_clients, [socket](const auto& one) { return one->socket.get() == socket; });
                }
            });
        });
        m_clients.push_back(std::move(client));
    }
}

std::size_t ScriptedServer::open() const
{
    return static_cast<std::size_t>(std::count_if(m_clients.begin(), m_clients.end(),
        [](const auto& one) { return one->socket->state() == QAbstractSocket::ConnectedState; }));
}

} // namespace vivavoce::tests
