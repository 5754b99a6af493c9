#pragma once

#include "broker/limits/limit_store.h"
#include "tests/broker/broker_harness.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <future>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::tests {

/// Runs a coroutine on one of them.
template <typename T>
std::future<T> begin(NetThreads& threads, net::Awaitable<T> task)
{
    return boost::asio::co_spawn(threads.executor(), std::move(task), boost::asio::use_future);
}

/// Runs a coroutine and waits for what it gives. Throws after twenty seconds.
template <typename T>
T finish(NetThreads& threads, net::Awaitable<T> task)
{
    auto result = begin(threads, std::move(task));
    if (result.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
        throw std::runtime_error("the coroutine did not end");
    }
    return result.get();
}

using Taken = core::Expected<broker::Decision, broker::StoreDown>;

/// So many at once, in turn at each of the stores.
inline std::vector<Taken> takeInParallel(NetThreads& threads, const std::vector<broker::LimitStore*>& stores,
    const broker::Bucket& bucket, const broker::LimitSubject& subject, std::size_t count)
{
    std::vector<std::future<Taken>> waiting;
    for (std::size_t i = 0; i < count; ++i) {
        waiting.push_back(begin(threads, stores[i % stores.size()]->take(bucket, subject)));
    }
    std::vector<Taken> taken;
    for (auto& one : waiting) {
        taken.push_back(one.get());
    }
    return taken;
}

inline std::size_t admittedOf(const std::vector<Taken>& taken)
{
    std::size_t admitted = 0;
    for (const Taken& one : taken) {
        admitted += one && one->isAdmitted() ? 1 : 0;
    }
    return admitted;
}

inline std::size_t newBlocksOf(const std::vector<Taken>& taken)
{
    std::size_t blocks = 0;
    for (const Taken& one : taken) {
        blocks += one && one->isNewBlock ? 1 : 0;
    }
    return blocks;
}

} // namespace vivavoce::tests
