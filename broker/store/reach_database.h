#pragma once

#include "broker/store/database.h"

namespace vivavoce::broker {

/// Connects to a server and does nothing there; for a file, nothing at all. Blocks its caller for `patience` and a little.
/// `url` has to be one that parseDatabaseUrl takes.
[[nodiscard]] core::Expected<void, DatabaseDown> reachDatabase(const core::Secret& url, core::Milliseconds patience);

} // namespace vivavoce::broker
