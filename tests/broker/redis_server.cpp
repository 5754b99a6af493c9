#include "tests/broker/redis_server.h"

#include "broker/limits/redis_address.h"

#include <QStandardPaths>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <csignal>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace vivavoce::tests {
namespace {

std::string programPath()
{
    return QStandardPaths::findExecutable("redis-server").toStdString();
}

bool sawReady(int output)
{
    std::string text;
    char bytes[512];
    for (ssize_t size = ::read(output, bytes, sizeof bytes); size > 0; size = ::read(output, bytes, sizeof bytes)) {
        text.append(bytes, static_cast<std::size_t>(size));
        if (text.find("Ready to accept connections") != std::string::npos
            || text.find("ready to accept connections at") != std::string::npos) {
            return true;
        }
    }
    return false;
}

} // namespace

bool RedisServer::isInstalled()
{
    return !programPath().empty();
}

RedisServer::~RedisServer()
{
    kill();
}

bool RedisServer::start(const std::vector<std::string>& more)
{
    std::vector<std::string> words{programPath(), "--port", "0", "--unixsocket", socketPath(), "--save", "",
        "--appendonly", "no", "--rdbcompression", "no", "--daemonize", "no", "--dir", m_folder.path().toStdString()};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    int output[2];
    if (::pipe(output) != 0) {
        return false;
    }
    m_process = ::fork();
    if (m_process == 0) {
#ifdef __linux__
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
        ::dup2(output[1], STDOUT_FILENO);
        ::close(output[0]);
        ::close(output[1]);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(output[1]);
    const bool isReady = sawReady(output[0]);
    // What it says later goes nowhere; it ignores the broken pipe.
    ::close(output[0]);
    return isReady;
}

void RedisServer::signal(int number)
{
    if (m_process > 0) {
        ::kill(m_process, number);
        if (number == SIGKILL) {
            ::waitpid(m_process, nullptr, 0);
            m_process = -1;
        }
    }
}

void RedisServer::kill()
{
    signal(SIGKILL);
}

std::uint16_t RedisServer::freePort()
{
    namespace ip = boost::asio::ip;
    boost::asio::io_context io;
    return ip::tcp::acceptor(io, {ip::make_address("127.0.0.1"), 0}).local_endpoint().port();
}

broker::RedisValue RedisServer::ask(const std::vector<std::string>& words) const
{
    const auto address = broker::RedisAddress::parse(url());
    auto connection = broker::RedisConnection::open(*address, core::Milliseconds{5'000});
    if (!connection) {
        return {broker::RedisValue::Kind::Error, 0, connection.error()};
    }
    const broker::RedisConnection::Command command(words.begin(), words.end());
    auto values = (*connection)->run(std::span(&command, 1));
    return values ? values->front() : broker::RedisValue{broker::RedisValue::Kind::Error, 0, values.error()};
}

std::vector<std::string> RedisServer::keys() const
{
    std::vector<std::string> result;
    for (const auto& key : ask({"KEYS", "*"}).items) {
        result.push_back(key.text);
    }
    return result;
}

} // namespace vivavoce::tests
