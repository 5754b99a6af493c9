#pragma once

#include "broker/config.h"
#include "broker/config_problems.h"
#include "core/base/clock.h"

namespace vivavoce::broker {

/// What a broker for many cannot start without, and that no single key can show: somebody who may call, a secret, a place for the audit.
/// Nothing for an embedded one.
void checkNeeds(const Config& config, Problems& problems);

/// Whether the files and folders that a configuration names are there and good: certificate and key of TLS fit together and are in time, keys
/// of relay tokens and certificates of authorities can be read, audit and database have a place, and who may read what is secret.
/// Reads, and changes nothing.
void checkFiles(const Config& config, const core::Clock& clock, Problems& problems);

} // namespace vivavoce::broker
