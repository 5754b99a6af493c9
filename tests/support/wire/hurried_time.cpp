#include "tests/support/wire/hurried_time.h"

#include <chrono>
#include <utility>

namespace vivavoce::tests {

using namespace core;

namespace {

/// No wait of the parts beneath comes to its end.
constexpr Milliseconds kNever{std::chrono::hours{1}};

class Call final : public HttpCall {
public:
    Call(
        HttpClient& inner, Executor& time, Milliseconds timeout, HttpClient::Request request, HttpClient::Callback done)
        : m_done(std::move(done))
    {
        request.timeout = kNever;
        m_deadline = time.after(timeout, [this] { finish(fail(ErrorCode::Timeout, "no answer in time")); });
        m_inner = inner.send(std::move(request),
            [this](Expected<HttpClient::Response, Error> response) { finish(std::move(response)); });
    }

private:
    void finish(Expected<HttpClient::Response, Error> response)
    {
        m_deadline.reset();
        m_inner.reset();
        // It may be the end of this call.
        const auto done = std::move(m_done);
        done(std::move(response));
    }

    HttpClient::Callback m_done;
    std::unique_ptr<Timer> m_deadline;
    std::unique_ptr<HttpCall> m_inner;
};

class HurriedTransport final : public Transport, private TransportListener {
public:
    HurriedTransport(std::unique_ptr<Transport> inner, Executor& time) : m_inner(std::move(inner)), m_time(time) {}

    void open(const TransportTarget& target, TransportListener& listener) override
    {
        m_listener = &listener;
        m_deadline = m_time.after(target.timeout, [this] {
            m_listener->transportFailed({ErrorCode::Timeout, "no handshake in time", std::nullopt, {}});
        });
        TransportTarget patient = target;
        patient.timeout = kNever;
        m_inner->open(patient, *this);
    }
    void send(std::string_view message) override { m_inner->send(message); }
    void close(std::uint16_t code, std::string_view reason) override { m_inner->close(code, reason); }
    void ping() override { m_inner->ping(); }
    [[nodiscard]] std::size_t bufferedBytes() const override { return m_inner->bufferedBytes(); }

private:
    void transportOpened() override
    {
        m_deadline.reset();
        m_listener->transportOpened();
    }
    void textReceived(std::string_view message) override { m_listener->textReceived(message); }
    void binaryReceived(std::string_view message) override { m_listener->binaryReceived(message); }
    void pingAnswered(std::uint64_t ping) override { m_listener->pingAnswered(ping); }
    void endAnnounced(Milliseconds left) override { m_listener->endAnnounced(left); }
    void transportClosed(const TransportClose& close) override
    {
        m_deadline.reset();
        m_listener->transportClosed(close);
    }
    void transportFailed(const Error& error) override
    {
        m_deadline.reset();
        m_listener->transportFailed(error);
    }

    std::unique_ptr<Transport> m_inner;
    Executor& m_time;
    TransportListener* m_listener = nullptr;
    std::unique_ptr<Timer> m_deadline;
};

} // namespace

HurriedTime::HurriedTime(Milliseconds step)
{
    m_step.setTimerType(Qt::PreciseTimer);
    m_step.setInterval(1);
    QObject::connect(&m_step, &QTimer::timeout, &m_step, [this, step] { m_timers.advance(step); });
    m_step.start();
}

std::unique_ptr<HttpCall> HurriedHttp::send(Request request, Callback done)
{
    return std::make_unique<Call>(m_inner, m_time, m_timeout, std::move(request), std::move(done));
}

std::unique_ptr<Transport> HurriedTransports::create()
{
    return std::make_unique<HurriedTransport>(m_inner.create(), m_time);
}

} // namespace vivavoce::tests
