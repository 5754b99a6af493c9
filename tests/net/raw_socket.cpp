#include "tests/net/raw_socket.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <openssl/evp.h>

#include <array>
#include <chrono>
#include <utility>

namespace vivavoce::net::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// Far beyond what any answer takes, even under a sanitizer on a busy machine.
constexpr std::chrono::seconds kPatience{20};

constexpr std::string_view kMask = "\x11\x22\x33\x44";

} // namespace

unsigned Frame::closeCode() const
{
    if (opcode != 8 || payload.size() < 2) {
        return 0;
    }
    return static_cast<unsigned>(static_cast<unsigned char>(payload[0])) * 256U
        + static_cast<unsigned char>(payload[1]);
}

std::string frameBytes(unsigned firstByte, std::string_view payload, Masked masked)
{
    const unsigned maskBit = masked == Masked::Yes ? 0x80U : 0U;
    std::string bytes(1, static_cast<char>(firstByte));
    const std::size_t size = payload.size();
    const int lengthBytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
    bytes += static_cast<char>(maskBit
        | (lengthBytes == 0        ? static_cast<unsigned>(size)
                : lengthBytes == 2 ? 126U
                                   : 127U));
    for (int i = lengthBytes - 1; i >= 0; --i) {
        bytes += static_cast<char>((size >> (8 * i)) & 0xFFU);
    }
    if (masked == Masked::No) {
        return bytes + std::string(payload);
    }
    bytes += kMask;
    for (std::size_t i = 0; i < size; ++i) {
        bytes += static_cast<char>(payload[i] ^ kMask[i % 4]);
    }
    return bytes;
}

std::string acceptKey(const std::string& key)
{
    const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
    std::array<unsigned char, 64> encoded{};
    const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
    return {encoded.begin(), encoded.begin() + length};
}

RawSocket::RawSocket(std::uint16_t port, int receiveBuffer) : m_socket(m_io)
{
    boost::system::error_code error;
    m_socket.open(tcp::v4(), error);
    if (receiveBuffer > 0) {
        m_socket.set_option(asio::socket_base::receive_buffer_size(receiveBuffer), error);
    }
    m_socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port), error);
    boost::system::error_code ignored;
    m_socket.set_option(tcp::no_delay(true), ignored);
    m_isConnected = !error;
    m_isOver = !m_isConnected;
}

RawSocket::RawSocket(asio::io_context& accepting, tcp::acceptor& acceptor) : m_socket(m_io), m_isOver(true)
{
    acceptor.async_accept(m_socket, [this](const boost::system::error_code& error) {
        boost::system::error_code ignored;
        m_socket.set_option(tcp::no_delay(true), ignored);
        m_isConnected = !error;
        m_isOver = !m_isConnected;
    });
    accepting.restart();
    accepting.run_for(kPatience);
}

bool RawSocket::send(std::string_view bytes)
{
    bool isSent = false;
    asio::async_write(
        m_socket, asio::buffer(bytes), [&](const boost::system::error_code& error, std::size_t) { isSent = !error; });
    m_io.restart();
    m_io.run_for(kPatience);
    if (!m_io.stopped()) {
        m_socket.cancel();
        m_io.run();
    }
    return isSent;
}

bool RawSocket::receive()
{
    if (m_isOver) {
        return false;
    }
    std::array<char, 16 * 1024> piece{};
    bool isLate = true;
    m_socket.async_read_some(asio::buffer(piece), [&](const boost::system::error_code& error, std::size_t size) {
        isLate = error == asio::error::operation_aborted;
        m_isOver = m_isOver || (error && !isLate);
        m_received.append(piece.data(), size);
    });
    m_io.restart();
    m_io.run_for(kPatience);
    if (!m_io.stopped()) {
        m_socket.cancel();
        m_io.run();
    }
    return !isLate && !m_isOver;
}

std::string RawSocket::readUntil(std::string_view mark)
{
    std::size_t found = m_received.find(mark);
    while (found == std::string::npos && receive()) {
        found = m_received.find(mark);
    }
    if (found == std::string::npos) {
        return std::exchange(m_received, {});
    }
    return readExactly(found + mark.size());
}

std::string RawSocket::readExactly(std::size_t size)
{
    while (m_received.size() < size && receive()) {
    }
    std::string piece = m_received.substr(0, size);
    m_received.erase(0, size);
    return piece;
}

std::string RawSocket::readToEnd()
{
    while (receive()) {
    }
    return std::exchange(m_received, {});
}

bool RawSocket::isClosedByPeer()
{
    readToEnd();
    return m_isOver;
}

Answer RawSocket::readAnswer(bool hasBody)
{
    Answer answer;
    std::string_view rest;
    const std::string head = readUntil("\r\n\r\n");
    if (head.size() < 12 || !head.starts_with("HTTP/1.")) {
        return answer;
    }
    answer.status = static_cast<unsigned>(std::stoul(head.substr(9, 3)));
    rest = head;
    rest.remove_prefix(head.find("\r\n") + 2);
    while (rest.size() > 2) {
        const std::string_view line = rest.substr(0, rest.find("\r\n"));
        const std::size_t colon = line.find(": ");
        answer.headers.add(std::string(line.substr(0, colon)), std::string(line.substr(colon + 2)));
        rest.remove_prefix(line.size() + 2);
    }
    if (const auto length = answer.headers.find("Content-Length"); length && hasBody) {
        answer.body = readExactly(std::stoul(std::string(*length)));
    }
    return answer;
}

Frame RawSocket::readFrame()
{
    Frame frame;
    const std::string head = readExactly(2);
    if (head.size() < 2) {
        return frame;
    }
    frame.isFinal = (static_cast<unsigned char>(head[0]) & 0x80U) != 0;
    frame.opcode = static_cast<unsigned char>(head[0]) & 0x0FU;
    std::size_t size = static_cast<unsigned char>(head[1]) & 0x7FU;
    if (size >= 126) {
        const std::string length = readExactly(size == 126 ? 2 : 8);
        size = 0;
        for (const char c : length) {
            size = size * 256 + static_cast<unsigned char>(c);
        }
    }
    frame.isMasked = (static_cast<unsigned char>(head[1]) & 0x80U) != 0;
    const std::string mask = frame.isMasked ? readExactly(4) : std::string();
    frame.payload = readExactly(size);
    for (std::size_t i = 0; frame.isMasked && i < frame.payload.size(); ++i) {
        frame.payload[i] = static_cast<char>(frame.payload[i] ^ mask[i % 4]);
    }
    return frame;
}

Answer RawSocket::upgrade(const std::string& path, const std::string& extraFields)
{
    send("GET " + path
        + " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        + extraFields + "\r\n");
    return readAnswer();
}

void RawSocket::close()
{
    boost::system::error_code ignored;
    m_socket.close(ignored);
    m_isOver = true;
}

ScriptedPeer::ScriptedPeer(std::function<void(RawSocket&)> script)
    : m_acceptor(m_io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), m_port(m_acceptor.local_endpoint().port())
{
    m_thread = std::thread([this, play = std::move(script)] {
        RawSocket socket(m_io, m_acceptor);
        play(socket);
    });
}

ScriptedPeer::~ScriptedPeer()
{
    m_thread.join();
}

std::string ScriptedPeer::url(std::string_view scheme, std::string_view path) const
{
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(m_port) + std::string(path);
}

} // namespace vivavoce::net::test
