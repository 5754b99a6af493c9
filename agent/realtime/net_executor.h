#pragma once

#include "core/base/executor.h"
#include "net/awaitable.h"

#include <memory>

namespace vivavoce::agent::realtime {

/// core::Executor on a connection's executor. Lifetime: what is posted may come after the connection has ended; the I/O context
/// behind it must outlive all workers.
[[nodiscard]] std::shared_ptr<core::Executor> makeNetExecutor(net::IoExecutor executor);

} // namespace vivavoce::agent::realtime
