#pragma once

#include "core/base/error.h"

#include <functional>
#include <string>

namespace vivavoce::core {

/// Port: the door on this computer that a browser comes back to with its answer (RFC 8252 §7.3).
/// Invariant: it is open from `open` until the first answer or `close`; whoever comes later is not let in.
/// Threads: the executor's own thread.
class RedirectListener {
public:
    /// The query of the answer, which holds a code: whoever gets it wipes it.
    using Arrived = std::function<void(std::string query)>;

    virtual ~RedirectListener() = default;
    /// The address of the door, at a port of the kernel's choice. `arrived` is called once at most, never from within `open`. Internal: no port.
    [[nodiscard]] virtual Expected<std::string, Error> open(Arrived arrived) = 0;
    virtual void close() = 0;
};

} // namespace vivavoce::core
