#include "agent/realtime/session_socket.h"

#include "agent/realtime/net_executor.h"
#include "net/timer.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>

#include <chrono>
#include <utility>

namespace vivavoce::agent::realtime {

namespace {

using net::Timer;

/// What the writer's backlog has to fall below is not signalled; so the reader looks again that often.
constexpr std::chrono::milliseconds kLook{10};

/// A wake-up call between coroutines of one executor.
class Signal {
public:
    explicit Signal(const net::IoExecutor& executor) : m_timer(executor) {}

    void wake() { m_timer.cancel(); }
    net::Awaitable<> wait(Timer::duration atMost)
    {
        m_timer.expires_after(atMost);
        boost::system::error_code ignored;
        co_await m_timer.async_wait(boost::asio::redirect_error(net::useAwaitable, ignored));
    }

private:
    Timer m_timer;
};

/// The two halves of a connection and what they tell each other.
struct Link {
    Link(net::WebSocketSession& connection)
        : socket(connection), toWriter(connection.executor()), toReader(connection.executor())
    {
        events.onWake([this] { toWriter.wake(); });
    }

    net::WebSocketSession& socket;
    EventWriter events;
    Signal toWriter;
    Signal toReader;
    std::shared_ptr<RealtimeSession> session;
    bool isReaderOver = false;
    bool isWriterOver = false;
};

net::Awaitable<> readMessages(Link& link)
{
    for (;;) {
        while (link.session && !link.session->isReady() && !link.isWriterOver && !link.events.closing()) {
            co_await link.toReader.wait(kLook);
        }
        auto message = co_await link.socket.read();
        if (!message) {
            break;
        }
        if (!link.session || link.events.closing()) {
            continue;
        }
        if (message->kind == net::WebSocketMessage::Kind::Binary) {
            link.session->receiveBinary();
        } else {
            link.session->receive(message->data);
        }
    }
    link.isReaderOver = true;
    if (link.session) {
        link.session->stop();
    }
    link.toWriter.wake();
}

net::Awaitable<> writeEvents(Link& link)
{
    while (!link.isReaderOver) {
        if (auto text = link.events.take()) {
            // Not inside the condition: GCC 12 destroys its temporaries twice.
            const bool sent = co_await link.socket.send(std::move(*text));
            if (!sent) {
                break;
            }
        } else if (const auto closing = link.events.closing()) {
            co_await link.socket.close(closing->code, closing->reason);
            break;
        } else {
            co_await link.toWriter.wait(std::chrono::seconds(5));
        }
    }
    link.isWriterOver = true;
    link.toReader.wake();
}

} // namespace

net::Awaitable<> converse(
    net::WebSocketSession& socket, SpeechParts parts, SessionSettings settings, core::Milliseconds maxDuration)
{
    using namespace boost::asio::experimental::awaitable_operators;
    Link link(socket);
    link.session = std::make_shared<RealtimeSession>(
        std::move(parts), makeNetExecutor(socket.executor()), link.events, std::move(settings));
    link.session->onWake([&link] { link.toReader.wake(); });
    link.session->start(maxDuration);
    co_await (readMessages(link) && writeEvents(link));
}

net::Awaitable<> refuse(net::WebSocketSession& socket, EventFault fault, std::uint16_t closeCode)
{
    using namespace boost::asio::experimental::awaitable_operators;
    Link link(socket);
    link.events.sendError(fault);
    link.events.close(closeCode, fault.type + "." + fault.code);
    co_await (readMessages(link) && writeEvents(link));
}

} // namespace vivavoce::agent::realtime
