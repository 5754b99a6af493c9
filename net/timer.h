#pragma once

#include "net/awaitable.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace vivavoce::net {

using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
    boost::asio::wait_traits<std::chrono::steady_clock>, IoExecutor>;

/// To wait for something in a coroutine of ours.
inline constexpr boost::asio::use_awaitable_t<IoExecutor> useAwaitable;
/// The same with its result as (error, values…) instead of an exception: errors are values here too.
inline constexpr auto asTuple = boost::asio::as_tuple(useAwaitable);

} // namespace vivavoce::net
