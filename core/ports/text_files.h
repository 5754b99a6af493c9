#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <string>
#include <string_view>

namespace vivavoce::core {

/// Port: files with what people have said, in places that they name. Only their user can read them.
/// Threads: the executor's own thread.
class TextFiles {
public:
    virtual ~TextFiles() = default;
    /// Where somebody looks for such a file; without a separator at its end.
    [[nodiscard]] virtual std::string usualFolder() const = 0;
    [[nodiscard]] virtual bool exists(const std::string& path) const = 0;
    /// Whether there is a place for such a file. OutputUnwritable.
    [[nodiscard]] virtual Expected<void, Error> check(const std::string& path) const = 0;
    /// In place of what is there, whole or not at all. OutputUnwritable: then what was there still is.
    virtual Expected<void, Error> write(const std::string& path, std::string_view text) = 0;
};

} // namespace vivavoce::core
