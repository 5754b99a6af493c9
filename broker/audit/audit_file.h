#pragma once

#include "core/base/expected.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace vivavoce::broker {

/// A file operation that did not succeed: which, and the system's number for why.
struct AuditFileFault {
    /// "open", "append", …: ours, stable.
    std::string_view operation;
    int systemError = 0;
};

/// Port: the one open file of an audit trail, in the trail's folder.
/// Threads: one at a time; every call may block for as long as the disk does.
class AuditFile {
public:
    template <typename T>
    using Result = core::Expected<T, AuditFileFault>;

    virtual ~AuditFile() = default;

    /// Opens `name` for appending in the place of the one before. Makes it where there is none; then its name is durable too.
    [[nodiscard]] virtual Result<void> open(const std::string& name) = 0;
    [[nodiscard]] virtual Result<std::uint64_t> size() = 0;
    /// All of it or a fault; after a fault any part of it may be there.
    [[nodiscard]] virtual Result<void> append(std::string_view bytes) = 0;
    /// What was appended or cut is durable.
    [[nodiscard]] virtual Result<void> sync() = 0;
    [[nodiscard]] virtual Result<void> truncate(std::uint64_t size) = 0;
};

} // namespace vivavoce::broker
