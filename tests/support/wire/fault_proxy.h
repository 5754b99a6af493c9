#pragma once

#include <QByteArray>
#include <QTcpServer>
#include <QTcpSocket>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::tests {

enum class Fault {
    None,
    /// The connection breaks off.
    Drop,
    /// The other side closes it with a code, or refuses it with a status.
    Close,
    /// Nothing comes through it any more, and nobody says so.
    Stall,
    /// The same, but for a while only.
    Pause,
    /// Nothing comes through any connection, nor through the next one.
    Partition,
    /// It is slow from now on.
    Throttle,
    /// This message comes behind the next one.
    Reorder,
    /// The provider says that its session has run out, and closes; before there is one: the credential is refused.
    Expire,
};

/// What is to go wrong, and at which operation, counted over all proxies that go by it: each connection, each piece of a request and of its
/// answer, each message of a WebSocket either way. Pings do not count, but suffer.
struct FaultPlan {
    Fault fault = Fault::None;
    int at = -1;
    std::uint16_t code = 1011;
    std::string reason{};
    /// Before there is a WebSocket.
    int status = 503;

    int operations = 0;
    bool hasStruck = false;
    /// So far; and new connections that the latest still takes.
    int partitions = 0;
    int partitioned = 0;

    [[nodiscard]] bool strikes()
    {
        const bool isIt = operations++ == at && fault != Fault::None;
        hasStruck = hasStruck || isIt;
        return isIt;
    }
};

/// Stands between a client and a server on this computer and lets go wrong what the plan says.
/// Threads: the one that made it. Lifetime: the plan outlives it.
class FaultProxy {
public:
    FaultProxy(FaultPlan& plan, std::uint16_t server);
    ~FaultProxy();

    [[nodiscard]] std::uint16_t port() const { return m_listener.serverPort(); }
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port()); }

private:
    class Pipe;
    void accept(QTcpSocket* client);

    FaultPlan& m_plan;
    std::uint16_t m_server;
    QTcpServer m_listener;
    std::vector<std::unique_ptr<Pipe>> m_pipes;
};

} // namespace vivavoce::tests
