#pragma once

#include "core/base/error.h"

#include <functional>
#include <string>
#include <string_view>

namespace vivavoce::core {

/// Port: the door on this computer that a browser comes back to with its answer (RFC 8252 §7.3).
/// Invariant: it is open from `open` until the answer or `close`; whoever comes later is not let in.
/// Threads: the executor's own thread.
class RedirectListener {
public:
    /// What the browser is told.
    enum class Verdict {
        Taken,
        /// It is the answer, and nobody is signed in by it.
        Refused,
        /// It belongs to another question: whoever sent it, the answer may still come.
        NotOurs,
    };
    /// The query of what came, which may hold a code: no copy is kept. It may close the door, but not destroy it.
    using Arrived = std::function<Verdict(std::string_view query)>;

    virtual ~RedirectListener() = default;
    /// The address of the door, at a port of the kernel's choice. `arrived` is called until it has the answer, never from within `open`.
    /// Internal: no port.
    [[nodiscard]] virtual Expected<std::string, Error> open(Arrived arrived) = 0;
    virtual void close() = 0;
};

} // namespace vivavoce::core
