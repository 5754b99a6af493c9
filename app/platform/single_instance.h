#pragma once

#include <QString>

#include <functional>
#include <memory>

class QLocalServer;
class QLockFile;

namespace vivavoce::platform {

/// One running program a user: the first holds the lock and listens, a later one asks it to show itself.
/// Threads: the thread that made it.
class SingleInstance {
public:
    /// `folder` holds the lock and, where the system has such, the socket: it is this user's alone.
    explicit SingleInstance(QString folder);
    ~SingleInstance();

    /// Whether this is the first; where it is not, the first has been asked to show itself.
    [[nodiscard]] bool claim(std::function<void()> shown);
    /// The next start is the first from now on: this one ends, and that takes a while.
    void release();
    [[nodiscard]] static QString defaultFolder();

private:
    void listen();
    void askFirst() const;
    [[nodiscard]] QString serverName() const;

    QString m_folder;
    std::function<void()> m_shown;
    std::unique_ptr<QLockFile> m_lock;
    std::unique_ptr<QLocalServer> m_server;
};

} // namespace vivavoce::platform
