#include "agent/realtime/net_executor.h"
#include "net/timer.h"

#include <boost/asio/post.hpp>

#include <utility>

namespace vivavoce::agent::realtime {

namespace {

struct Pending {
    Pending(const net::IoExecutor& executor, std::function<void()> then) : timer(executor), work(std::move(then)) {}

    net::Timer timer;
    std::function<void()> work;
};

class NetTimer final : public core::Timer {
public:
    explicit NetTimer(std::shared_ptr<Pending> pending) : m_pending(std::move(pending)) {}
    ~NetTimer() override
    {
        // A handler that is queued already finds nothing to do.
        m_pending->work = nullptr;
        m_pending->timer.cancel();
    }

private:
    const std::shared_ptr<Pending> m_pending;
};

class NetExecutor final : public core::Executor {
public:
    explicit NetExecutor(net::IoExecutor executor) : m_executor(std::move(executor)) {}

    void post(std::function<void()> work) override { boost::asio::post(m_executor, std::move(work)); }

    std::unique_ptr<core::Timer> after(core::Milliseconds delay, std::function<void()> work) override
    {
        auto pending = std::make_shared<Pending>(m_executor, std::move(work));
        pending->timer.expires_after(delay);
        pending->timer.async_wait([pending](const boost::system::error_code& error) {
            // The work may destroy its own timer, and itself with it.
            const auto run = std::exchange(pending->work, nullptr);
            if (!error && run) {
                run();
            }
        });
        return std::make_unique<NetTimer>(std::move(pending));
    }

private:
    const net::IoExecutor m_executor;
};

} // namespace

std::shared_ptr<core::Executor> makeNetExecutor(net::IoExecutor executor)
{
    return std::make_shared<NetExecutor>(std::move(executor));
}

} // namespace vivavoce::agent::realtime
