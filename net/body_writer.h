#pragma once

#include "net/awaitable.h"

#include <string>

namespace vivavoce::net {

/// Where a body goes that is made while it is sent.
/// Threads: the connection's executor.
class BodyWriter {
public:
    virtual ~BodyWriter() = default;
    /// Waits until the connection has taken it. False: nobody reads any more.
    virtual Awaitable<bool> write(std::string part) = 0;
};

} // namespace vivavoce::net
