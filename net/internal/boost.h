#pragma once

// What every file of this library needs of Boost, compiled once as a precompiled header: it is slow to read.
#include "net/timer.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

namespace vivavoce::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
namespace ssl = boost::asio::ssl;
using tcp = boost::asio::ip::tcp;
using ErrorCode = boost::system::error_code;

using TcpSocket = asio::basic_stream_socket<tcp, IoExecutor>;
using TcpAcceptor = asio::basic_socket_acceptor<tcp, IoExecutor>;
using TcpResolver = asio::ip::basic_resolver<tcp, IoExecutor>;

} // namespace vivavoce::net
