#include "broker/program.h"

#include "broker/broker.h"
#include "broker/config_values.h"
#include "broker/credential_pipe.h"
#include "core/base/json.h"
#include "net/io_threads.h"
#include "net/timer.h"

#include <nlohmann/json.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vivavoce::broker {
namespace {

namespace asio = boost::asio;

constexpr core::Milliseconds kCredentialPatience{10'000};
constexpr core::Milliseconds kDrainDeadline{5'000};
/// A stream stays on its thread: with fewer of them than cores, some of those would never carry any.
constexpr unsigned kFewestThreads = 2;
constexpr unsigned kMostThreads = 16;

/// The files that are read with what is loaded, by those who answer requests: one that never answers keeps the reader, not them.
core::Expected<void, core::Error> lookAtFiles(const Config& config)
{
    std::vector<std::pair<const char*, std::string>> files{{"tls.certificate", config.tlsCertificate},
        {"tls.key", config.tlsKey}, {"usage.prices_file", config.pricesFile}};
    for (const std::string& key : config.tokenKeys) {
        files.emplace_back("tokens.keys", key);
    }
    for (const auto& [key, path] : files) {
        if (!path.empty() && !isReadablePlainFile(path)) {
            return badConfig(key, "names a file that cannot be read or is no plain one");
        }
    }
    return {};
}

/// The threads with what ends them, signals and the parent's pipe, and with what has the configuration read again.
/// Threads: everything that is not constant is the first one's; `load` runs on `m_reader`, since files may be slow, and one may never answer.
class Process {
public:
    Process(Broker& broker, Log& log, std::atomic<LogLevel>& logLevel, ConfigLoader load, net::IoThreads& threads)
        : m_broker(broker),
          m_log(log),
          m_logLevel(logLevel),
          m_load(std::move(load)),
          m_threads(threads),
          m_executor(threads.executor()),
          m_signals(m_executor, SIGINT, SIGTERM),
          m_hangups(m_executor),
          m_parent(m_executor),
          m_deadline(m_executor)
    {
        m_link->process = this;
    }
    ~Process()
    {
        // The descriptor was given to us, but is not ours to close.
        m_parent.is_open() ? static_cast<void>(m_parent.release()) : void();
        {
            const std::lock_guard lock(m_link->mutex);
            m_link->process = nullptr;
        }
        if (m_isReading) {
            // From a file that does not answer, perhaps never: that is left behind.
            static_cast<void>(m_reader.release());
        }
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void watchSignals()
    {
        m_signals.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) {
                stop("signal");
            }
        });
    }

    /// Those that come while one is being answered are one more.
    void watchHangups()
    {
        boost::system::error_code taken;
        m_hangups.add(SIGHUP, taken);
        m_hangups.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) {
                m_isReading = true;
                asio::post(*m_reader, [load = m_load, link = m_link] {
                    const auto loaded = std::make_shared<Loaded>(load());
                    if (*loaded) {
                        if (auto seen = lookAtFiles(**loaded); !seen) {
                            *loaded = core::Unexpected<core::Error>(std::move(seen.error()));
                        }
                    }
                    const std::lock_guard lock(link->mutex);
                    if (link->process != nullptr) {
                        link->process->reload(loaded);
                    }
                });
            }
        });
    }

    core::Expected<void, core::Error> watchParent(int fd)
    {
        boost::system::error_code error;
        m_parent.assign(fd, error);
        if (error) {
            return core::fail(
                core::ErrorCode::BadConfiguration, "--credential-fd cannot be watched: " + error.message());
        }
        ignoreParent();
        return {};
    }

    void run() { m_threads.run(); }

private:
    using Loaded = core::Expected<Config, core::Error>;
    /// For the reader, which may be slower than all of us.
    struct Link {
        std::mutex mutex;
        Process* process = nullptr;
    };

    void reload(const std::shared_ptr<Loaded>& loaded)
    {
        asio::co_spawn(
            m_executor,
            [this, loaded]() -> net::Awaitable<> {
                m_isReading = false;
                const LogLevel level = *loaded ? (*loaded)->logLevel : m_logLevel.load();
                const auto taken = co_await m_broker.reload(std::move(*loaded));
                if (taken) {
                    m_logLevel = level;
                }
                if (!m_isStopping) {
                    watchHangups();
                }
            },
            asio::detached);
    }

    /// Nothing more is meant to come through the pipe: what does is dropped, and its end is our parent's.
    void ignoreParent()
    {
        m_parent.async_read_some(asio::buffer(m_ignored), [this](const boost::system::error_code& error, std::size_t) {
            if (!error) {
                ignoreParent();
            } else if (error != asio::error::operation_aborted) {
                stop("parent");
            }
        });
    }

    void stop(const char* why)
    {
        if (std::exchange(m_isStopping, true)) {
            return;
        }
        m_hangups.cancel();
        m_log.write(LogLevel::Info, "broker.stopping", {{"why", why}});
        // Whatever the draining does, the process is over by then.
        m_deadline.expires_after(kDrainDeadline);
        m_deadline.async_wait([this](const boost::system::error_code& error) {
            if (!error) {
                m_threads.stop();
            }
        });
        asio::co_spawn(
            m_executor,
            [this]() -> net::Awaitable<> {
                co_await m_broker.drain(kDrainDeadline);
                m_threads.stop();
            },
            asio::detached);
    }

    Broker& m_broker;
    Log& m_log;
    std::atomic<LogLevel>& m_logLevel;
    const ConfigLoader m_load;
    net::IoThreads& m_threads;
    const net::IoExecutor m_executor;
    asio::signal_set m_signals;
    asio::signal_set m_hangups;
    asio::posix::stream_descriptor m_parent;
    net::Timer m_deadline;
    std::array<char, 64> m_ignored{};
    bool m_isStopping = false;
    bool m_isReading = false;
    const std::shared_ptr<Link> m_link = std::make_shared<Link>();
    /// Last: it is joined before the rest goes.
    std::unique_ptr<asio::thread_pool> m_reader = std::make_unique<asio::thread_pool>(1);
};

/// The secrets of embedded mode, from the parent's pipe: what it bears, and what a provider on this computer knows us by.
core::Expected<core::Secret, core::Error> takeCredentials(Config& config)
{
    const bool isLocal = config.providerName() == "local";
    auto credentials = readCredentials(config.credentialFd, isLocal ? 2 : 1, kCredentialPatience);
    if (!credentials) {
        return core::Unexpected<core::Error>(credentials.error());
    }
    if (isLocal && !credentials->back().empty()) {
        config.providerKey = std::move(credentials->back());
    } else if (isLocal) {
        // A key for the cloud is not for whatever listens on this computer.
        config.providerKey = {};
    }
    return std::move(credentials->front());
}

} // namespace

core::Expected<int, core::Error> runBroker(Config config, ConfigLoader load)
{
    const bool isEmbedded = config.isEmbedded;
    const int fd = config.credentialFd;
    core::Secret credential;
    if (isEmbedded) {
        auto read = takeCredentials(config);
        if (!read) {
            return core::Unexpected<core::Error>(read.error());
        }
        credential = std::move(*read);
    }
    std::atomic<LogLevel> logLevel = config.logLevel;
    const auto log = makeStderrLog(logLevel);
    const core::SystemClock clock;
    net::IoThreads threads(std::clamp(std::thread::hardware_concurrency(), kFewestThreads, kMostThreads));
    auto broker = Broker::create(std::move(config), std::move(credential), {threads.executors(), clock, *log});
    if (!broker) {
        return core::Unexpected<core::Error>(broker.error());
    }
    Process process(**broker, *log, logLevel, std::move(load), threads);
    process.watchSignals();
    if (isEmbedded) {
        if (auto watched = process.watchParent(fd); !watched) {
            return core::Unexpected<core::Error>(watched.error());
        }
    } else {
        process.watchHangups();
    }
    (*broker)->start();
    std::cout << core::writeJson({{"event", "listening"}, {"url", (*broker)->url()}}) << std::endl;
    process.run();
    log->write(LogLevel::Info, "broker.stopped", {});
    return 0;
}

core::Expected<void, core::Error> printServiceKey(const std::string& name)
{
    if (!auth::isServiceName(name)) {
        return core::fail(core::ErrorCode::BadUsage, "a name is made of a to z, 0 to 9 and dashes, at most 64 of them");
    }
    const auth::NewServiceKey made = auth::makeServiceKey(name);
    // The one place where a key is shown: to whoever makes it.
    std::cout << R"({"name":")" << name << R"(","key":")" << made.key.reveal() << R"(","keyHash":")"
              << auth::writeKeyHash(made.hash) << "\"}" << std::endl;
    return {};
}

} // namespace vivavoce::broker
