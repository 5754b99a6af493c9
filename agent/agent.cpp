#include "agent/agent.h"

#include "agent/realtime/realtime_server.h"
#include "core/base/clock.h"
#include "net/io_threads.h"
#include "net/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>

#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vivavoce::agent {

namespace {

constexpr std::size_t kNetThreads = 2;
constexpr core::Milliseconds kDrain{3'000};
constexpr std::chrono::seconds kCredentialPatience{10};
constexpr std::size_t kMaxCredentialBytes = 512;

class RunningAgent final : public Agent {
public:
    RunningAgent(const Options& options, Speech speech)
        : m_logLevel(options.logLevel),
          m_speech(std::move(speech)),
          m_workers(options.maxSessions),
          m_signals(m_threads.executor(), SIGINT, SIGTERM),
          m_parent(m_threads.executor())
    {
    }

    // Workers post to the context: none may run when it goes.
    ~RunningAgent() override { m_workers.stop(); }

    core::Expected<void, core::Error> listen(const Options& options, core::Secret credential)
    {
        realtime::RealtimeServerConfig config;
        config.credential = std::move(credential);
        config.maxSessions = options.maxSessions;
        config.log = [this](std::string_view line) { log(LogLevel::Info, line); };
        realtime::SpeechParts parts{
            m_workers, *m_speech.recognisers, *m_speech.voice, *m_speech.brains, m_clock, m_speech.makeDetector};
        const auto realtime = std::make_shared<realtime::RealtimeServer>(std::move(config), std::move(parts));
        net::ServerConfig server;
        server.address = options.address;
        server.port = options.port;
        server.tls = {options.tlsCertificate, options.tlsKey};
        auto made = net::Server::create(m_threads.executors(), std::move(server), realtime->routes());
        if (!made) {
            return core::Unexpected<core::Error>(made.error());
        }
        m_server = std::move(*made);
        if (options.credentialFd) {
            boost::system::error_code error;
            m_parent.assign(*options.credentialFd, error);
            if (error) {
                return core::fail(core::ErrorCode::BadConfiguration, "--credential-fd is not a pipe");
            }
            watchParent();
        }
        return {};
    }

    std::string url() const override { return m_server->url(); }

    void run() override
    {
        m_signals.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) {
                stop();
            }
        });
        m_server->start();
        m_threads.run();
        m_workers.stop();
    }

    void stop() override
    {
        if (m_isStopping.exchange(true)) {
            return;
        }
        log(LogLevel::Info, "stopping");
        boost::asio::co_spawn(
            m_threads.executor(),
            [this]() -> net::Awaitable<> {
                co_await m_server->drain(kDrain);
                m_threads.stop();
            },
            boost::asio::detached);
    }

private:
    /// One write a line, so that threads do not mix theirs.
    void log(LogLevel level, std::string_view line) const
    {
        if (level <= m_logLevel) {
            std::cerr << "vivavoce-agent: " + std::string(line) + "\n";
        }
    }

    /// Whatever else comes through the pipe is ignored; its end is the end of our parent.
    void watchParent()
    {
        m_parent.async_read_some(
            boost::asio::buffer(m_ignored), [this](const boost::system::error_code& error, std::size_t) {
                if (error == boost::asio::error::operation_aborted) {
                    return;
                }
                if (error) {
                    stop();
                } else {
                    watchParent();
                }
            });
    }

    // Sessions that are left when the context goes hold recognisers and lanes: it goes before those.
    core::SystemClock m_clock;
    const LogLevel m_logLevel;
    Speech m_speech;
    realtime::SpeechWorkers m_workers;
    net::IoThreads m_threads{kNetThreads};
    boost::asio::signal_set m_signals;
    boost::asio::posix::stream_descriptor m_parent;
    std::array<char, 64> m_ignored{};
    std::unique_ptr<net::Server> m_server;
    std::atomic<bool> m_isStopping = false;
};

} // namespace

core::Expected<core::Secret, core::Error> readCredential(int fd)
{
    std::string line;
    const auto deadline = std::chrono::steady_clock::now() + kCredentialPatience;
    while (line.size() <= kMaxCredentialBytes) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd waiting{fd, POLLIN, 0};
        const int ready = left.count() > 0 ? ::poll(&waiting, 1, static_cast<int>(left.count())) : 0;
        if (ready == 0) {
            core::wipeString(line);
            return core::fail(core::ErrorCode::Timeout, "no credential came through --credential-fd");
        }
        char letter = 0;
        const ssize_t count = ready > 0 ? ::read(fd, &letter, 1) : -1;
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        if (letter == '\n') {
            core::Secret credential(line);
            core::wipeString(line);
            if (credential.empty()) {
                break;
            }
            return credential;
        }
        line.push_back(letter);
    }
    core::wipeString(line);
    return core::fail(core::ErrorCode::BadConfiguration, "--credential-fd is not a pipe with one line of credential");
}

core::Expected<std::unique_ptr<Agent>, core::Error> Agent::create(
    const Options& options, core::Secret credential, Speech speech)
{
    auto agent = std::make_unique<RunningAgent>(options, std::move(speech));
    if (auto listening = agent->listen(options, std::move(credential)); !listening) {
        return core::Unexpected<core::Error>(listening.error());
    }
    return agent;
}

} // namespace vivavoce::agent
