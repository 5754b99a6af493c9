#include "agent/realtime/strand_executor.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace vivavoce::agent::realtime {

namespace {

struct Pending {
    Pending(const net::IoExecutor& strand, std::function<void()> then) : timer(strand), work(std::move(then)) {}

    boost::asio::steady_timer timer;
    std::function<void()> work;
};

class StrandTimer final : public core::Timer {
public:
    explicit StrandTimer(std::shared_ptr<Pending> pending) : m_pending(std::move(pending)) {}
    ~StrandTimer() override
    {
        // A handler that is queued already finds nothing to do.
        m_pending->work = nullptr;
        m_pending->timer.cancel();
    }

private:
    const std::shared_ptr<Pending> m_pending;
};

class StrandExecutor final : public core::Executor {
public:
    explicit StrandExecutor(net::IoExecutor strand) : m_strand(std::move(strand)) {}

    void post(std::function<void()> work) override { boost::asio::post(m_strand, std::move(work)); }

    std::unique_ptr<core::Timer> after(core::Milliseconds delay, std::function<void()> work) override
    {
        auto pending = std::make_shared<Pending>(m_strand, std::move(work));
        pending->timer.expires_after(delay);
        pending->timer.async_wait([pending](const boost::system::error_code& error) {
            // The work may destroy its own timer, and itself with it.
            const auto run = std::exchange(pending->work, nullptr);
            if (!error && run) {
                run();
            }
        });
        return std::make_unique<StrandTimer>(std::move(pending));
    }

private:
    const net::IoExecutor m_strand;
};

} // namespace

std::shared_ptr<core::Executor> makeStrandExecutor(net::IoExecutor strand)
{
    return std::make_shared<StrandExecutor>(std::move(strand));
}

} // namespace vivavoce::agent::realtime
