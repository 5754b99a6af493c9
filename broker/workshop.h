#pragma once

#include "broker/fault.h"
#include "core/base/expected.h"
#include "core/base/units.h"
#include "net/pending_value.h"

#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace vivavoce::broker {

/// Where what takes long is made for an answer, so that the network's threads go on meanwhile: on a few threads of its own, one piece of work
/// after another.
/// Invariant: at most `mostWaiting` pieces are made or wait; one more is refused at once.
/// Threads: [any thread]; coroutines on the caller's executor. Lifetime: its destructor waits for what is being made, and drops the rest.
class Workshop {
public:
    struct Settings {
        std::size_t threads = 1;
        std::size_t mostWaiting = 16;
        /// For how long an answer is waited for. What is made later is nobody's.
        core::Milliseconds patience{30'000};
        /// What whoever is refused is told.
        std::string refusal;
    };

    explicit Workshop(Settings settings);
    ~Workshop();
    Workshop(const Workshop&) = delete;
    Workshop& operator=(const Workshop&) = delete;

    /// What `work` returns, which is also destroyed there with all that it holds. Unavailable: too many wait, it takes too long, or it threw.
    template <typename T>
    [[nodiscard]] net::Awaitable<core::Expected<T, Fault>> make(std::function<T()> work);

private:
    struct Bench;

    /// False: too many wait.
    [[nodiscard]] bool post(std::function<void()> work);
    [[nodiscard]] core::Unexpected<Fault> refused() const;

    const Settings m_settings;
    const std::unique_ptr<Bench> m_bench;
};

template <typename T>
net::Awaitable<core::Expected<T, Fault>> Workshop::make(std::function<T()> work)
{
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto pending = std::make_shared<net::PendingValue<std::optional<T>>>(executor, m_settings.patience);
    const net::Pending::Waiter waiter(*pending);
    const bool isTaken = post([pending, work = std::move(work)] {
        std::optional<T> made;
        try {
            made.emplace(work());
        } catch (...) {
            // Nobody else is on this thread: it would end the process.
            made.reset();
        }
        static_cast<void>(pending->complete(std::move(made)));
    });
    if (!isTaken) {
        co_return refused();
    }
    co_await pending->wait();
    auto made = pending->take();
    if (!made || !*made) {
        co_return refused();
    }
    co_return std::move(**made);
}

} // namespace vivavoce::broker
