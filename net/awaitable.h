#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace vivavoce::net {

/// A coroutine of ours. It runs on the strand that it was spawned on; cancelling it is what ends a session.
/// What it gives is taken into a variable before it is looked at: GCC 12 misplaces the frame of a coroutine that has
/// `if (co_await …)` or `while (co_await …)`, and the resumed coroutine crashes.
template <typename T = void>
using Awaitable = boost::asio::awaitable<T>;

using IoExecutor = boost::asio::any_io_executor;

} // namespace vivavoce::net
