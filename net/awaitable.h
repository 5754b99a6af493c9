#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace vivavoce::net {

/// Where something of ours runs: a context that one thread runs (IoThreads). What shares an executor takes turns, and needs
/// neither a strand nor a lock. (A concrete type: the general one costs a relayed message a fifth of its time.)
using IoExecutor = boost::asio::io_context::executor_type;

/// A coroutine of ours. It runs on the executor that it was spawned on; cancelling it is what ends a session.
/// What it gives is taken into a variable before it is looked at: GCC 12 misplaces the frame of a coroutine that has
/// `if (co_await …)` or `while (co_await …)`, and the resumed coroutine crashes.
template <typename T = void>
using Awaitable = boost::asio::awaitable<T, IoExecutor>;

} // namespace vivavoce::net
