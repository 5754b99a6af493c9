#include "tests/support/wire/fault_proxy.h"

#include <QHostAddress>
#include <QTimer>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace vivavoce::tests {
namespace {

constexpr int kTextFrame = 0x1;
constexpr int kCloseFrame = 0x8;
constexpr std::chrono::milliseconds kPause{35};
constexpr std::chrono::milliseconds kTrickleEvery{1};
constexpr qsizetype kTrickle = 2'000;

/// A whole frame at the beginning (RFC 6455 §5.2): its length; 0: not yet.
qsizetype frameLength(const QByteArray& bytes)
{
    const auto byte = [&](qsizetype at) { return static_cast<unsigned char>(bytes[at]); };
    if (bytes.size() < 2) {
        return 0;
    }
    const int shortLength = byte(1) & 0x7F;
    const qsizetype lengthBytes = shortLength == 127 ? 8 : shortLength == 126 ? 2 : 0;
    const qsizetype head = 2 + lengthBytes + ((byte(1) & 0x80) != 0 ? 4 : 0);
    if (bytes.size() < head) {
        return 0;
    }
    qsizetype length = lengthBytes == 0 ? shortLength : 0;
    for (qsizetype i = 0; i < lengthBytes; ++i) {
        length = (length << 8) | byte(2 + i);
    }
    return bytes.size() < head + length ? 0 : head + length;
}

/// From a server, which masks nothing. Short ones only.
QByteArray frame(int opcode, const QByteArray& payload)
{
    QByteArray bytes(1, static_cast<char>(0x80 | opcode));
    if (payload.size() < 126) {
        return bytes.append(static_cast<char>(payload.size())) + payload;
    }
    bytes.append(static_cast<char>(126)).append(static_cast<char>(payload.size() >> 8));
    return bytes.append(static_cast<char>(payload.size() & 0xFF)) + payload;
}

QByteArray closeFrame(std::uint16_t code, const std::string& reason)
{
    QByteArray payload;
    payload.append(static_cast<char>(code >> 8)).append(static_cast<char>(code & 0xFF));
    return frame(kCloseFrame, payload + QByteArray::fromStdString(reason));
}

} // namespace

/// One connection through it.
class FaultProxy::Pipe {
public:
    Pipe(FaultPlan& plan, QTcpSocket* client, std::uint16_t server)
        : m_plan(plan),
          m_client(client),
          m_server(std::make_unique<QTcpSocket>()),
          m_port(server),
          m_era(plan.partitions)
    {
        for (const bool isUp : {true, false}) {
            QTcpSocket* const from = isUp ? m_client.get() : m_server.get();
            from->setSocketOption(QAbstractSocket::LowDelayOption, 1);
            QObject::connect(from, &QTcpSocket::readyRead, &m_context, [this, isUp] { read(isUp); });
            QObject::connect(from, &QTcpSocket::disconnected, &m_context, [this, isUp] { ended(isUp); });
        }
        m_trickle.setInterval(kTrickleEvery);
        QObject::connect(&m_trickle, &QTimer::timeout, &m_context, [this] { trickle(); });
        if (m_plan.partitioned > 0) {
            --m_plan.partitioned;
            m_isSilent = true;
            return;
        }
        if (m_plan.strikes()) {
            strike(false);
        }
        if (!m_isOver && !isSilent()) {
            connect();
        }
    }

    [[nodiscard]] bool isOver() const { return m_isOver && m_client->state() == QAbstractSocket::UnconnectedState; }

private:
    struct Way {
        QByteArray come;
        /// Waits for the next message.
        QByteArray held;
        /// Throttled: waits for its turn.
        QByteArray slow;
    };

    [[nodiscard]] bool isSilent() const { return m_isSilent || m_era != m_plan.partitions; }
    void connect()
    {
        m_hasConnected = true;
        m_server->connectToHost(QHostAddress(QHostAddress::LocalHost), m_port);
    }

    void read(bool isUp)
    {
        QTcpSocket& from = isUp ? *m_client : *m_server;
        if (isSilent() || m_isOver || !m_hasConnected) {
            // What is not read now is read when the pause is over.
            return;
        }
        Way& way = m_ways.at(isUp ? 1 : 0);
        way.come += from.readAll();
        while (!isSilent() && !m_isOver && !way.come.isEmpty()) {
            const QByteArray next = takeNext(way, isUp);
            if (next.isEmpty()) {
                return;
            }
            const bool counts = !m_isOpen || (next[0] & 0xF) == kTextFrame;
            if (counts && m_plan.strikes() && !strike(isUp, next)) {
                continue;
            }
            pass(isUp, next);
            if (!isUp && !m_isOpen && next.startsWith("HTTP/1.1 101")) {
                m_isOpen = true;
            }
        }
    }

    QByteArray takeNext(Way& way, bool isUp)
    {
        if (!m_isOpen && !isUp && way.come.startsWith("HTTP/1.1 101")) {
            const qsizetype end = way.come.indexOf("\r\n\r\n");
            return take(way.come, end < 0 ? 0 : end + 4);
        }
        return take(way.come, m_isOpen ? frameLength(way.come) : way.come.size());
    }
    static QByteArray take(QByteArray& from, qsizetype size)
    {
        const QByteArray taken = from.left(size);
        from.remove(0, size);
        return taken;
    }

    void pass(bool isUp, const QByteArray& bytes)
    {
        Way& way = m_ways.at(isUp ? 1 : 0);
        const QByteArray all = bytes + std::exchange(way.held, {});
        if (m_trickle.isActive()) {
            way.slow += all;
        } else {
            write(isUp, all);
        }
    }
    void write(bool isUp, const QByteArray& bytes) { (isUp ? *m_server : *m_client).write(bytes); }

    /// The operation fails as planned. True: the message passes all the same.
    bool strike(bool isUp, const QByteArray& message = {})
    {
        switch (m_plan.fault) {
        case Fault::None:
            return true;
        case Fault::Drop:
            m_isOver = true;
            m_server->abort();
            m_client->abort();
            return false;
        case Fault::Close:
        case Fault::Expire:
            refuse();
            return false;
        case Fault::Stall:
            m_isSilent = true;
            return false;
        case Fault::Pause:
            m_isSilent = true;
            m_ways.at(isUp ? 1 : 0).come.prepend(message);
            QTimer::singleShot(kPause, &m_context, [this] { goOn(); });
            return false;
        case Fault::Partition:
            m_plan.partitioned = 1;
            ++m_plan.partitions;
            return false;
        case Fault::Throttle:
            m_trickle.start();
            return true;
        case Fault::Reorder:
            if (m_isOpen) {
                m_ways.at(isUp ? 1 : 0).held = message;
                return false;
            }
            return true;
        }
        return true;
    }

    void refuse()
    {
        m_isOver = true;
        m_server->abort();
        const bool isExpiry = m_plan.fault == Fault::Expire;
        if (!m_isOpen) {
            const int status = isExpiry ? 401 : m_plan.status;
            m_client->write("HTTP/1.1 " + QByteArray::number(status)
                + " Fault\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
        } else if (isExpiry) {
            m_client->write(frame(kTextFrame,
                R"({"type":"error","event_id":"e","error":{"type":"invalid_request_error","code":"session_expired","message":"over"}})"));
            m_client->write(closeFrame(1001, "session expired"));
        } else {
            m_client->write(closeFrame(m_plan.code, m_plan.reason));
        }
        m_client->disconnectFromHost();
    }

    void goOn()
    {
        m_isSilent = false;
        if (!m_hasConnected) {
            connect();
        }
        read(true);
        read(false);
        if (!m_isOver && m_server->state() == QAbstractSocket::UnconnectedState) {
            ended(false);
        }
    }

    void trickle()
    {
        for (const bool isUp : {true, false}) {
            if (const QByteArray some = take(m_ways.at(isUp ? 1 : 0).slow, kTrickle); !some.isEmpty() && !m_isOver) {
                write(isUp, some);
            }
        }
    }

    void ended(bool isClient)
    {
        if (m_isOver || (isSilent() && !isClient)) {
            return;
        }
        read(isClient);
        m_isOver = true;
        QTcpSocket& other = isClient ? *m_server : *m_client;
        if (const QByteArray rest = std::exchange(m_ways.at(isClient ? 1 : 0).slow, {}); !rest.isEmpty()) {
            write(isClient, rest);
        }
        isClient&& isSilent() ? other.abort() : other.disconnectFromHost();
    }

    FaultPlan& m_plan;
    std::unique_ptr<QTcpSocket> m_client;
    std::unique_ptr<QTcpSocket> m_server;
    std::uint16_t m_port;
    /// That of the partition that it was made in or after.
    int m_era;
    std::array<Way, 2> m_ways;
    bool m_hasConnected = false;
    bool m_isOpen = false;
    bool m_isSilent = false;
    bool m_isOver = false;
    QTimer m_trickle;
    // Last, so that it goes first: nothing is told to a half-destroyed pipe.
    QObject m_context;
};

FaultProxy::FaultProxy(FaultPlan& plan, std::uint16_t server) : m_plan(plan), m_server(server)
{
    QObject::connect(&m_listener, &QTcpServer::newConnection, &m_listener, [this] {
        while (QTcpSocket* const client = m_listener.nextPendingConnection()) {
            accept(client);
        }
    });
    m_listener.listen(QHostAddress::LocalHost);
}

FaultProxy::~FaultProxy() = default;

void FaultProxy::accept(QTcpSocket* client)
{
    std::erase_if(m_pipes, [](const auto& pipe) { return pipe->isOver(); });
    client->setParent(nullptr);
    m_pipes.push_back(std::make_unique<Pipe>(m_plan, client, m_server));
}

} // namespace vivavoce::tests
