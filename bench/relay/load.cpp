#include "bench/relay/load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace vivavoce::bench {
namespace {

using namespace std::chrono_literals;
using From = SoundMessage::From;

constexpr auto kOpeningPatience = 20s;
/// Handshakes under way at a time.
constexpr std::size_t kAtOnce = 32;
constexpr std::size_t kRoom = 256 * 1024;

std::uint64_t nanoseconds(Load::Clock::time_point when)
{
    return static_cast<std::uint64_t>(when.time_since_epoch().count());
}

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void sendAtOnce(int socket)
{
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// A field of a request, by its name in small letters, which some send; empty where it is not there.
std::string_view field(std::string_view head, std::string_view name)
{
    std::string small(head);
    std::transform(small.begin(), small.end(), small.begin(), [](unsigned char c) { return std::tolower(c); });
    const std::size_t at = small.find(name);
    return at == std::string::npos ? std::string_view()
                                   : head.substr(at + name.size(), head.find("\r\n", at) - at - name.size());
}

} // namespace

/// One end of a session.
struct Load::Line {
    int socket = -1;
    /// Which end it is.
    From end = From::Client;
    bool isOpen = false;
    bool reads = true;
    /// The rest of a message, where a socket had no room for all of it.
    std::string unsent;
    std::string received;
    std::uint64_t sent = 0;
    std::uint64_t heard = 0;
};

Load::Load() : m_poll(epoll_create1(EPOLL_CLOEXEC)), m_room(kRoom)
{
    m_listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    const bool listens = bind(m_listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
        && listen(m_listener, SOMAXCONN) == 0
        && getsockname(m_listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    if (m_poll < 0 || !listens) {
        throw std::runtime_error("cannot listen on loopback");
    }
    m_port = ntohs(address.sin_port);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    epoll_ctl(m_poll, EPOLL_CTL_ADD, m_listener, &event);
}

Load::~Load()
{
    for (const auto& line : m_lines) {
        drop(*line);
    }
    ::close(m_listener);
    ::close(m_poll);
}

std::string Load::open(const Target& target, std::size_t sessions)
{
    m_failure.clear();
    std::size_t dialled = 0;
    const auto opened = [this](From end) { return openLines(end).size(); };
    const auto patience = Clock::now() + kOpeningPatience;
    while (m_failure.empty() && Clock::now() < patience) {
        // Counted where it is the least: a relay may open the provider's side later.
        const std::size_t done = std::min(opened(From::Client), opened(From::Provider));
        if (done == sessions) {
            return {};
        }
        while (dialled < sessions && dialled < done + kAtOnce) {
            dial(target, dialled++);
        }
        pumpUntil(std::min(Clock::now() + 5ms, patience));
    }
    return m_failure.empty() ? "the sessions did not open in time" : m_failure;
}

void Load::dial(const Target& target, std::size_t index)
{
    auto line = std::make_unique<Line>();
    line->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(target.port);
    // On loopback this waits for nothing but room in the listener's queue.
    if (connect(line->socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        m_failure = "nobody listens at port " + std::to_string(target.port);
        ::close(line->socket);
        return;
    }
    std::string request = "GET " + target.path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(target.port)
        + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
          "dGhlIHNhbXBsZSBub25jZQ==\r\n";
    if (!target.tokens.empty()) {
        request += "Authorization: Bearer " + target.tokens[index % target.tokens.size()] + "\r\n";
    }
    Line& added = *line;
    add(std::move(line));
    send(added, request + "\r\n");
}

void Load::accept()
{
    int socket = -1;
    while ((socket = accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
        auto line = std::make_unique<Line>();
        line->socket = socket;
        line->end = From::Provider;
        add(std::move(line));
    }
}

void Load::add(std::unique_ptr<Line> line)
{
    sendAtOnce(line->socket);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = line.get();
    epoll_ctl(m_poll, EPOLL_CTL_ADD, line->socket, &event);
    m_lines.push_back(std::move(line));
}

void Load::pumpUntil(Clock::time_point end, const std::function<bool()>& isDone)
{
    std::array<epoll_event, 256> events{};
    while (!isDone()) {
        const auto left = std::max<Clock::duration>(end - Clock::now(), Clock::duration::zero());
        const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
        const timespec patience{seconds.count(), static_cast<long>((left - seconds).count())};
        const int count = epoll_pwait2(m_poll, events.data(), static_cast<int>(events.size()), &patience, nullptr);
        for (int i = 0; i < count; ++i) {
            auto* const line = static_cast<Line*>(events[static_cast<std::size_t>(i)].data.ptr);
            const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
            if (line == nullptr) {
                accept();
            } else if (line->socket >= 0) {
                if ((what & EPOLLOUT) != 0) {
                    flush(*line);
                }
                if (line->socket >= 0 && (what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
                    readFrom(*line);
                }
            }
        }
        if (Clock::now() >= end) {
            return;
        }
    }
}

void Load::readFrom(Line& line)
{
    if (!line.reads) {
        return;
    }
    const ssize_t size = recv(line.socket, m_room.data(), m_room.size(), MSG_DONTWAIT);
    if (size <= 0) {
        if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
            drop(line);
        }
        return;
    }
    line.received.append(m_room.data(), static_cast<std::size_t>(size));
    if (!line.isOpen) {
        heedHead(line);
    }
    if (line.isOpen) {
        heed(line);
    }
}

void Load::heedHead(Line& line)
{
    const std::size_t end = line.received.find("\r\n\r\n");
    if (end == std::string::npos) {
        return;
    }
    const std::string head = line.received.substr(0, end + 2);
    line.received.erase(0, end + 4);
    if (line.end == From::Client) {
        if (!head.starts_with("HTTP/1.1 101")) {
            m_failure = "refused: " + head.substr(0, head.find("\r\n"));
            drop(line);
            return;
        }
    } else {
        const std::string_view key = field(head, "sec-websocket-key: ");
        if (key.empty()) {
            // Somebody looks whether the provider is there.
            send(line, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            drop(line);
            return;
        }
        send(line,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                + acceptKey(key) + "\r\n\r\n");
    }
    line.isOpen = true;
}

void Load::heed(Line& line)
{
    std::string_view rest = line.received;
    for (FrameView frame = firstFrame(rest); frame.size > 0; frame = firstFrame(rest)) {
        rest.remove_prefix(frame.size);
        if (!heedFrame(line, frame)) {
            drop(line);
            return;
        }
    }
    line.received.erase(0, line.received.size() - rest.size());
}

bool Load::heedFrame(Line& line, const FrameView& frame)
{
    if (frame.firstByte == kPing) {
        std::string payload;
        for (std::size_t i = 0; i < frame.payload.size(); ++i) {
            payload += frame.at(i);
        }
        send(line, bench::frame(kPong, payload, line.end == From::Client));
        return true;
    }
    if (frame.firstByte != kText) {
        return frame.firstByte != kClose;
    }
    const auto now = Clock::now();
    const auto stamp = SoundMessage::stampOf(frame, line.end == From::Client ? From::Provider : From::Client);
    ++m_figures.received;
    m_figures.misplaced += stamp.number == line.heard ? 0 : 1;
    line.heard = stamp.number + 1;
    if (now >= m_begin && now < m_end) {
        ++m_figures.measured;
        m_tookNs.push_back(
            static_cast<std::uint32_t>(std::min<std::uint64_t>(nanoseconds(now) - stamp.time, 0xFFFFFFFFU)));
    }
    return true;
}

bool Load::send(Line& line, std::string_view bytes)
{
    if (!line.unsent.empty()) {
        return false;
    }
    const ssize_t size = ::send(line.socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    const std::size_t taken = size < 0 ? 0 : static_cast<std::size_t>(size);
    if (size < 0 && errno != EAGAIN && errno != EINTR) {
        drop(line);
        return false;
    }
    if (taken == bytes.size()) {
        return true;
    }
    line.unsent = bytes.substr(taken);
    epoll_event event{};
    event.events = EPOLLOUT | (line.reads ? EPOLLIN : 0U);
    event.data.ptr = &line;
    epoll_ctl(m_poll, EPOLL_CTL_MOD, line.socket, &event);
    return true;
}

void Load::flush(Line& line)
{
    const std::string rest = std::exchange(line.unsent, {});
    epoll_event event{};
    event.events = line.reads ? EPOLLIN : 0U;
    event.data.ptr = &line;
    epoll_ctl(m_poll, EPOLL_CTL_MOD, line.socket, &event);
    if (!rest.empty()) {
        send(line, rest);
    }
}

void Load::drop(Line& line)
{
    if (line.socket >= 0) {
        ::close(line.socket);
    }
    line.socket = -1;
    line.isOpen = false;
}

std::vector<Load::Line*> Load::openLines(From end) const
{
    std::vector<Line*> lines;
    for (const auto& line : m_lines) {
        if (line->isOpen && line->end == end) {
            lines.push_back(line.get());
        }
    }
    return lines;
}

Load::Figures Load::run(
    double rate, std::size_t bytes, std::chrono::milliseconds time, const std::function<void(const char*)>& told)
{
    // Both ends of each, in turns.
    std::vector<Line*> senders = openLines(From::Client);
    for (Line* const line : openLines(From::Provider)) {
        senders.push_back(line);
    }
    m_up = std::make_unique<SoundMessage>(From::Client, bytes);
    m_down = std::make_unique<SoundMessage>(From::Provider, bytes);
    m_figures = {};
    m_tookNs.clear();
    const double perSecond = rate * static_cast<double>(senders.size());
    m_tookNs.reserve(static_cast<std::size_t>(perSecond * std::chrono::duration<double>(time).count() * 1.1));
    const auto start = Clock::now();
    m_begin = start + 1s;
    m_end = m_begin + time;
    const std::array<std::pair<Clock::time_point, const char*>, 2> parts{{{m_begin, "warm"}, {m_end, "over"}}};
    std::uint64_t number = 0;
    for (const auto& [end, word] : parts) {
        for (auto now = Clock::now(); now < end; now = Clock::now()) {
            const auto due = static_cast<std::uint64_t>(std::chrono::duration<double>(now - start).count() * perSecond);
            // No more at a time than what leaves time to read in between.
            for (int i = 0; number < due && i < 64; ++i) {
                sendDue(senders, number++);
            }
            const auto next = start
                + std::chrono::duration_cast<Clock::duration>(
                    std::chrono::duration<double>(static_cast<double>(number + 1) / perSecond));
            pumpUntil(std::min(next, end));
        }
        told(word);
    }
    pumpUntil(Clock::now() + 3s, [this] { return m_figures.received >= m_figures.sent; });
    const auto at = [this](double part) {
        if (m_tookNs.empty()) {
            return 0.0;
        }
        const auto nth =
            m_tookNs.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(m_tookNs.size() - 1));
        std::nth_element(m_tookNs.begin(), nth, m_tookNs.end());
        return *nth / 1'000.0;
    };
    m_figures.p50Us = at(0.5);
    m_figures.p99Us = at(0.99);
    m_figures.worstUs = at(1);
    return m_figures;
}

void Load::sendDue(const std::vector<Line*>& senders, std::uint64_t number)
{
    Line& line = *senders[number % senders.size()];
    if (!line.isOpen) {
        // Whatever was to be sent is missed at the other end.
        ++m_figures.sent;
        return;
    }
    SoundMessage& message = line.end == From::Client ? *m_up : *m_down;
    ++m_figures.sent;
    if (send(line, message.stamped(nanoseconds(Clock::now()), line.sent))) {
        ++line.sent;
    }
}

std::uint64_t Load::stall(std::chrono::milliseconds time)
{
    for (Line* const line : openLines(From::Client)) {
        line->reads = false;
        flush(*line);
    }
    constexpr std::size_t kMessage = 64 * 1024;
    SoundMessage message(From::Provider, kMessage);
    std::uint64_t taken = 0;
    const auto end = Clock::now() + time;
    while (Clock::now() < end) {
        bool hasSent = false;
        for (Line* const line : openLines(From::Provider)) {
            if (send(*line, message.stamped(0, line->sent))) {
                ++line->sent;
                taken += kMessage;
                hasSent = true;
            }
        }
        pumpUntil(std::min(end, Clock::now() + (hasSent ? 0ms : 10ms)));
    }
    return taken;
}

bool Load::close()
{
    const auto isOver = [this] {
        return std::all_of(m_lines.begin(), m_lines.end(), [](const auto& line) { return line->socket < 0; });
    };
    for (const auto& line : m_lines) {
        if (line->end == From::Client
            && (!line->isOpen || !line->reads || !send(*line, frame(kClose, "\x03\xE8", true)))) {
            drop(*line);
        }
    }
    pumpUntil(Clock::now() + 3s, isOver);
    for (const auto& line : m_lines) {
        if (line->end == From::Client) {
            drop(*line);
        }
    }
    pumpUntil(Clock::now() + 2s, isOver);
    const bool areGone = isOver();
    for (const auto& line : m_lines) {
        drop(*line);
    }
    m_lines.clear();
    return areGone;
}

} // namespace vivavoce::bench
