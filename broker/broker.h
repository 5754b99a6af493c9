#pragma once

#include "broker/config.h"
#include "broker/log.h"
#include "core/base/clock.h"
#include "net/awaitable.h"

#include <memory>
#include <string>

namespace vivavoce::broker {

/// The token broker, put together: server, API, registry, limits, provider.
/// Threads: any number may run the executor. Lifetime: drain, or stop whatever runs the executor, before destroying; clock and log outlive the executor.
class Broker {
public:
    struct Dependencies {
        net::IoExecutor executor;
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
    /// Refuses new work, lets requests finish, and is done at the latest after `deadline`.
    virtual net::Awaitable<> drain(core::Milliseconds deadline) = 0;
};

} // namespace vivavoce::broker
