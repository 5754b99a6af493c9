#pragma once

#include "core/base/http_headers.h"
#include "core/base/units.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace vivavoce::net::test {

/// An HTTP answer as it came over the wire.
struct Answer {
    unsigned status = 0;
    core::HttpHeaders headers;
    std::string body;
};

/// One WebSocket frame.
struct Frame {
    bool isFinal = true;
    unsigned opcode = 0;
    std::string payload;
    bool isMasked = false;

    /// Of a close frame; 0 where there is none.
    [[nodiscard]] unsigned closeCode() const;
};

enum class Masked { No, Yes };

/// The bytes of a frame; `firstByte` holds FIN, reserved bits and opcode.
std::string frameBytes(unsigned firstByte, std::string_view payload, Masked masked = Masked::Yes);

/// Sec-WebSocket-Accept for a key (RFC 6455 §4.2.2).
std::string acceptKey(const std::string& key);

/// A TCP connection that says exactly what a test wants, at once, and waits for nothing longer than its patience.
class RawSocket {
public:
    /// Connects to a port of this computer. `receiveBuffer` 0: the system's choice.
    explicit RawSocket(std::uint16_t port, int receiveBuffer = 0);
    RawSocket(boost::asio::io_context& accepting, boost::asio::ip::tcp::acceptor& acceptor);
    RawSocket(const RawSocket&) = delete;
    RawSocket& operator=(const RawSocket&) = delete;

    /// False when the peer stopped listening.
    bool send(std::string_view bytes);
    /// Up to and including `mark`; what came if the connection or the patience ended before.
    std::string readUntil(std::string_view mark);
    std::string readExactly(std::size_t size);
    /// Until the peer closes. `isReset` tells whether it did so rudely.
    std::string readToEnd();
    Answer readAnswer(bool hasBody = true);
    Frame readFrame();
    /// Sends a WebSocket handshake for `path`; the answer.
    Answer upgrade(const std::string& path, const std::string& extraFields = {});
    void close();

    [[nodiscard]] bool isConnected() const { return m_isConnected; }
    /// The peer closed the connection within the patience; bytes that come first are dropped.
    [[nodiscard]] bool isClosedByPeer();

private:
    /// More bytes in m_received; false at the end.
    bool receive();

    boost::asio::io_context m_io;
    boost::asio::ip::tcp::socket m_socket;
    std::string m_received;
    bool m_isConnected = false;
    bool m_isOver = false;
};

/// Listens on a port of this computer and plays a script with the first who connects, on a thread of its own.
class ScriptedPeer {
public:
    explicit ScriptedPeer(std::function<void(RawSocket&)> script);
    ~ScriptedPeer();
    ScriptedPeer(const ScriptedPeer&) = delete;
    ScriptedPeer& operator=(const ScriptedPeer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return m_port; }
    [[nodiscard]] std::string url(std::string_view scheme, std::string_view path = "/") const;

private:
    boost::asio::io_context m_io;
    boost::asio::ip::tcp::acceptor m_acceptor;
    std::uint16_t m_port;
    std::thread m_thread;
};

} // namespace vivavoce::net::test
