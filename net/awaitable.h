#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace vivavoce::net {

/// A coroutine of ours. It runs on the strand that it was spawned on; cancelling it is what ends a session.
template <typename T = void>
using Awaitable = boost::asio::awaitable<T>;

using IoExecutor = boost::asio::any_io_executor;

} // namespace vivavoce::net
