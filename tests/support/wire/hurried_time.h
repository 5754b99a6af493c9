#pragma once

#include "app/platform/qt_executor.h"
#include "app/platform/qt_http_client.h"
#include "app/platform/qt_websocket_transport.h"
#include "core/ports/http_client.h"
#include "core/ports/transport.h"
#include "tests/support/manual_executor.h"

#include <QTimer>

#include <memory>

namespace vivavoce::tests {

/// Time that passes in steps, one for each millisecond in which this thread's event loop comes round, so that what waits for minutes is seen
/// in moments, over real sockets. Where the machine is busy it passes more slowly, and nothing that takes its time is late by it.
class HurriedTime final : public core::Executor {
public:
    explicit HurriedTime(core::Milliseconds step);

    [[nodiscard]] const core::Clock& clock() const { return m_clock; }

    void post(std::function<void()> work) override { m_loop.post(std::move(work)); }
    [[nodiscard]] std::unique_ptr<core::Timer> after(core::Milliseconds delay, std::function<void()> work) override
    {
        return m_timers.after(delay, std::move(work));
    }

private:
    ManualClock m_clock;
    platform::QtExecutor m_loop;
    ManualExecutor m_timers{m_clock};
    QTimer m_step;
};

/// Requests that wait by that time, and no longer than `timeout`.
class HurriedHttp final : public core::HttpClient {
public:
    HurriedHttp(HurriedTime& time, core::Milliseconds timeout) : m_time(time), m_timeout(timeout) {}

    [[nodiscard]] std::unique_ptr<core::HttpCall> send(Request request, Callback done) override;

private:
    HurriedTime& m_time;
    core::Milliseconds m_timeout;
    platform::QtHttpClient m_inner;
};

/// Connections whose handshake waits by that time.
class HurriedTransports final : public core::TransportFactory {
public:
    explicit HurriedTransports(HurriedTime& time) : m_time(time) {}

    [[nodiscard]] std::unique_ptr<core::Transport> create() override;

private:
    HurriedTime& m_time;
    platform::QtWebSocketFactory m_inner;
};

} // namespace vivavoce::tests
