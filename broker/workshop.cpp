#include "broker/workshop.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>

namespace vivavoce::broker {

struct Workshop::Bench {
    explicit Bench(std::size_t threads) : pool(threads) {}

    std::atomic<std::size_t> waiting{0};
    /// After what its work counts on.
    boost::asio::thread_pool pool;
};

Workshop::Workshop(Settings settings)
    : m_settings(std::move(settings)), m_bench(std::make_unique<Bench>(m_settings.threads))
{
}

Workshop::~Workshop()
{
    m_bench->pool.stop();
    m_bench->pool.join();
}

bool Workshop::post(std::function<void()> work)
{
    if (++m_bench->waiting > m_settings.mostWaiting) {
        --m_bench->waiting;
        return false;
    }
    boost::asio::post(m_bench->pool, [bench = m_bench.get(), work = std::move(work)]() mutable {
        work();
        // What it holds may take as long as what it did.
        work = nullptr;
        --bench->waiting;
    });
    return true;
}

core::Unexpected<Fault> Workshop::refused() const
{
    return core::Unexpected<Fault>(Fault{FaultCode::Unavailable, m_settings.refusal, std::chrono::seconds(5)});
}

} // namespace vivavoce::broker
