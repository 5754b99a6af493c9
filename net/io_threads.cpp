#include "net/io_threads.h"

#include <boost/asio/executor_work_guard.hpp>

#include <algorithm>
#include <thread>

namespace vivavoce::net {

class IoThreads::Context : public boost::asio::io_context {
public:
    // The hint: nobody needs to be woken to help this one's thread.
    Context() : io_context(1), m_work(get_executor()) {}

    /// Destroys what waits here.
    void clear() { shutdown(); }

private:
    boost::asio::executor_work_guard<executor_type> m_work;
};

struct IoThreads::Thread {
    explicit Thread(Context& context) : thread([&context] { context.run(); }) {}
    std::thread thread;
};

IoThreads::IoThreads(std::size_t count)
{
    for (std::size_t i = 0; i < std::max<std::size_t>(count, 1); ++i) {
        m_contexts.push_back(std::make_unique<Context>());
    }
}

IoThreads::~IoThreads()
{
    stop();
    join();
    // A coroutine may hold timers and sockets of another context than its own.
    for (const auto& context : m_contexts) {
        context->clear();
    }
}

IoExecutor IoThreads::executor() const
{
    return m_contexts.front()->get_executor();
}

std::vector<IoExecutor> IoThreads::executors() const
{
    std::vector<IoExecutor> all;
    for (const auto& context : m_contexts) {
        all.push_back(context->get_executor());
    }
    return all;
}

void IoThreads::start()
{
    for (const auto& context : m_contexts) {
        m_threads.push_back(std::make_unique<Thread>(*context));
    }
}

void IoThreads::run()
{
    for (std::size_t i = 1; i < m_contexts.size(); ++i) {
        m_threads.push_back(std::make_unique<Thread>(*m_contexts[i]));
    }
    // As in the others: what throws is not thrown into the ends of things that they still use.
    [this]() noexcept { m_contexts.front()->run(); }();
    join();
}

void IoThreads::stop()
{
    for (const auto& context : m_contexts) {
        context->stop();
    }
}

void IoThreads::join()
{
    for (const auto& thread : m_threads) {
        thread->thread.join();
    }
    m_threads.clear();
}

} // namespace vivavoce::net
