#include "app/platform/loopback_redirect.h"

#include "core/base/secret.h"

#include <QTcpServer>
#include <QTcpSocket>
#include <QTimer>

#include <algorithm>
#include <string_view>

namespace vivavoce::platform {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPath = "/callback";
/// A browser may have cookies of other programs for this computer.
constexpr qsizetype kLongestHead = 64 * 1024;
constexpr qsizetype kMostConnections = 8;
constexpr auto kPatience = 10s;

QByteArray answer(const char* status, const QByteArray& words)
{
    const QByteArray page =
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Vivavoce</title>\n<p>" + words
        + "</p>\n</html>\n";
    return QByteArray("HTTP/1.1 ") + status
        + "\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: " + QByteArray::number(page.size())
        + "\r\nConnection: close\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
          "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\n\r\n"
        + page;
}

/// The socket lives on its own until the browser has got it.
void sayFarewell(QTcpSocket* socket, const QByteArray& words)
{
    socket->setParent(nullptr);
    QObject::connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
    socket->write(words);
    socket->disconnectFromHost();
    if (socket->state() == QAbstractSocket::UnconnectedState) {
        socket->deleteLater();
    }
}

/// What stands between the method and the version of a request line; empty where it is none. No copy: a code may be in it.
std::string_view targetOf(std::string_view head)
{
    constexpr std::string_view kMethod = "GET ";
    std::string_view line = head.substr(0, head.find("\r\n"));
    if (!line.starts_with(kMethod)) {
        return {};
    }
    line.remove_prefix(kMethod.size());
    const std::size_t blank = line.find(' ');
    const std::string_view version = blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
    const bool isRequest = version.starts_with("HTTP/1.") && version.find(' ') == std::string_view::npos;
    return isRequest ? line.substr(0, blank) : std::string_view();
}

QByteArray answerTo(core::RedirectListener::Verdict verdict)
{
    switch (verdict) {
    case core::RedirectListener::Verdict::Taken:
        return answer("200 OK", "You can close this window.");
    case core::RedirectListener::Verdict::Refused:
        return answer("403 Forbidden", "You were not signed in. Vivavoce tells you why.");
    case core::RedirectListener::Verdict::NotOurs:
        break;
    }
    return answer("400 Bad Request", "This is not the answer that Vivavoce waits for.");
}

} // namespace

LoopbackRedirect::LoopbackRedirect() = default;

LoopbackRedirect::~LoopbackRedirect()
{
    close();
}

core::Expected<std::string, core::Error> LoopbackRedirect::open(Arrived arrived)
{
    close();
    m_server = std::make_unique<QTcpServer>();
    if (!m_server->listen(QHostAddress(QHostAddress::LocalHost), 0)) {
        close();
        return core::fail(core::ErrorCode::Internal, "no port of this computer can be listened on");
    }
    m_arrived = std::move(arrived);
    QObject::connect(m_server.get(), &QTcpServer::newConnection, m_server.get(), [this] {
        while (m_server != nullptr && m_server->hasPendingConnections()) {
            greet(m_server->nextPendingConnection());
        }
    });
    return "http://127.0.0.1:" + std::to_string(m_server->serverPort()) + std::string(kPath);
}

void LoopbackRedirect::close()
{
    m_arrived = {};
    if (m_server != nullptr) {
        m_server->close();
        for (QTcpSocket* socket : m_server->findChildren<QTcpSocket*>()) {
            socket->disconnect();
            socket->abort();
        }
        // One of its sockets may be what calls us.
        m_server.release()->deleteLater();
    }
}

void LoopbackRedirect::greet(QTcpSocket* socket)
{
    if (m_server->findChildren<QTcpSocket*>().size() > kMostConnections) {
        socket->abort();
        socket->deleteLater();
        return;
    }
    socket->setReadBufferSize(kLongestHead + 1);
    QObject::connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
    QObject::connect(socket, &QTcpSocket::readyRead, socket, [this, socket] { read(socket); });
    QTimer::singleShot(kPatience, socket, [socket] { socket->abort(); });
    read(socket);
}

void LoopbackRedirect::read(QTcpSocket* socket)
{
    QByteArray head = socket->peek(kLongestHead + 1);
    const bool isWhole = head.contains("\r\n\r\n");
    if (!isWhole && head.size() <= kLongestHead) {
        core::wipeString(head);
        return;
    }
    // Unread bytes would make the system throw the answer away with the connection.
    QByteArray rest = socket->readAll();
    core::wipeString(rest);
    socket->disconnect();
    const std::string_view whole(head.constData(), static_cast<std::size_t>(head.size()));
    const std::string_view target = isWhole ? targetOf(whole) : std::string_view();
    if (target.starts_with(kPath) && target.substr(kPath.size()).starts_with('?')) {
        judge(socket, target.substr(kPath.size() + 1));
    } else {
        sayFarewell(socket, answer(target.empty() ? "400 Bad Request" : "404 Not Found", "There is nothing here."));
    }
    core::wipeString(head);
}

void LoopbackRedirect::judge(QTcpSocket* socket, std::string_view query)
{
    // Whoever closes the door meanwhile does not shut this one up.
    socket->setParent(nullptr);
    const Arrived arrived = m_arrived;
    const QTcpServer* const server = m_server.get();
    const Verdict verdict = arrived(query);
    sayFarewell(socket, answerTo(verdict));
    // Unless it is closed, or open for another question.
    if (verdict != Verdict::NotOurs && m_server.get() == server) {
        close();
    }
}

} // namespace vivavoce::platform
