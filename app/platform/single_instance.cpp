#include "app/platform/single_instance.h"

#include <QCryptographicHash>
#include <QDir>
#include <QLocalServer>
#include <QLocalSocket>
#include <QLockFile>
#include <QStandardPaths>

namespace vivavoce::platform {
namespace {

constexpr int kPatienceMs = 1'000;

} // namespace

SingleInstance::SingleInstance(QString folder) : m_folder(std::move(folder)) {}

SingleInstance::~SingleInstance() = default;

QString SingleInstance::defaultFolder()
{
    QString folder = QStandardPaths::writableLocation(QStandardPaths::RuntimeLocation);
    if (folder.isEmpty()) {
        folder = QStandardPaths::writableLocation(QStandardPaths::GenericCacheLocation);
    }
    return folder + QStringLiteral("/vivavoce");
}

bool SingleInstance::claim(std::function<void()> shown)
{
    m_shown = std::move(shown);
    QDir().mkpath(m_folder);
    m_lock = std::make_unique<QLockFile>(m_folder + QStringLiteral("/lock"));
    // Held for days: only a holder that has died makes it stale.
    m_lock->setStaleLockTime(0);
    if (m_lock->tryLock(0)) {
        listen();
        return true;
    }
    // A folder that cannot be written to is no reason not to run.
    if (m_lock->error() != QLockFile::LockFailedError) {
        return true;
    }
    askFirst();
    return false;
}

void SingleInstance::release()
{
    // In this order: whoever gets the lock makes a server of its own.
    m_server.reset();
    m_lock.reset();
}

void SingleInstance::listen()
{
    m_server = std::make_unique<QLocalServer>();
    m_server->setSocketOptions(QLocalServer::UserAccessOption);
    // What a crash has left; the lock says that nobody listens there.
    QLocalServer::removeServer(serverName());
    m_server->listen(serverName());
    QObject::connect(m_server.get(), &QLocalServer::newConnection, m_server.get(), [this] {
        while (QLocalSocket* socket = m_server->nextPendingConnection()) {
            QObject::connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
            socket->disconnectFromServer();
            m_shown();
        }
    });
}

void SingleInstance::askFirst() const
{
    QLocalSocket socket;
    socket.connectToServer(serverName());
    socket.waitForConnected(kPatienceMs);
}

QString SingleInstance::serverName() const
{
#ifdef Q_OS_WIN
    // Pipes have one name space for all folders.
    return QStringLiteral("vivavoce-")
        + QString::fromLatin1(QCryptographicHash::hash(m_folder.toUtf8(), QCryptographicHash::Sha256).toHex().left(16));
#else
    return m_folder + QStringLiteral("/window");
#endif
}

} // namespace vivavoce::platform
