#pragma once

#include <string>

namespace vivavoce::core {

/// Port: the system's own browser, where people are signed in already and see whose page it is (RFC 8252 §8.12).
/// Threads: the executor's own thread.
class Browser {
public:
    virtual ~Browser() = default;
    /// False: there is none, or it did not start.
    [[nodiscard]] virtual bool open(const std::string& url) = 0;
};

} // namespace vivavoce::core
