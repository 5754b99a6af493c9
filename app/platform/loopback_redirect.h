#pragma once

#include "core/ports/redirect_listener.h"

#include <memory>

class QTcpServer;
class QTcpSocket;

namespace vivavoce::platform {

/// A door on 127.0.0.1 at a port of the kernel's choice, for one answer: `GET /callback?…`. What else comes is told that nothing is there.
/// Invariant: a few connections at a time, a request head of bounded size, each with a deadline; after the answer nobody is let in. What it has read
/// is wiped.
/// Threads: the thread that made it.
class LoopbackRedirect final : public core::RedirectListener {
public:
    LoopbackRedirect();
    ~LoopbackRedirect() override;

    [[nodiscard]] core::Expected<std::string, core::Error> open(Arrived arrived) override;
    void close() override;

private:
    void greet(QTcpSocket* socket);
    void read(QTcpSocket* socket);
    void judge(QTcpSocket* socket, std::string_view query);

    std::unique_ptr<QTcpServer> m_server;
    Arrived m_arrived;
};

} // namespace vivavoce::platform
