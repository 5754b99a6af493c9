#pragma once

#include "broker/config.h"
#include "broker/log.h"
#include "core/base/clock.h"
#include "net/awaitable.h"

#include <memory>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// The token broker, put together: server, API, registry, limits, provider.
/// Threads: one for each executor. Lifetime: drain, or stop whatever runs the executors, before destroying; clock and log outlive the
/// executors' contexts.
class Broker {
public:
    struct Dependencies {
        /// What is not of one connection runs on the first.
        std::vector<net::IoExecutor> executors;
        const core::Clock& clock;
        Log& log;
    };

    /// Binds and listens, but answers nobody before start(). `credential` is what the one caller of this floor bears.
    /// Errors: those of net::Server::create.
    [[nodiscard]] static core::Expected<std::unique_ptr<Broker>, core::Error> create(
        Config config, core::Secret credential, Dependencies dependencies);
    virtual ~Broker() = default;

    virtual void start() = 0;
    /// "http://127.0.0.1:40123". [any thread]
    [[nodiscard]] virtual std::string url() const = 0;
    /// The same of the listener that serves /metrics alone; empty where there is none. [any thread]
    [[nodiscard]] virtual std::string metricsUrl() const = 0;
    /// Puts another configuration in the place of the one that runs, as a whole or not at all; requests under way end as they began. What
    /// cannot change while the broker runs stays, and the log names it. An error of whoever read the configuration is told to log and
    /// audit like one of its content. To be called again only when this has ended.
    /// Errors: as create(), and OutputUnwritable where the audit cannot tell of it.
    [[nodiscard]] virtual net::Awaitable<core::Expected<void, core::Error>> reload(
        core::Expected<Config, core::Error> wanted) = 0;
    /// Refuses new work, lets requests finish, and is done at the latest after `deadline`. The destructor then waits no longer than a
    /// second beyond that for a disk or a database that hangs.
    virtual net::Awaitable<> drain(core::Milliseconds deadline) = 0;
};

} // namespace vivavoce::broker
