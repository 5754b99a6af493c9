#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/settings/settings.h"

namespace vivavoce::core {

/// Port: keeps the settings from one start to the next.
/// Threads: the executor's own thread.
class SettingsStore {
public:
    virtual ~SettingsStore() = default;
    /// What was saved; defaults where there is nothing, or where a value cannot be read.
    [[nodiscard]] virtual Settings load() const = 0;
    /// OutputUnwritable: a full disk, no permission; the old file is whole then.
    virtual Expected<void, Error> save(const Settings& settings) = 0;
};

} // namespace vivavoce::core
