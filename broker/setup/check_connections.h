#pragma once

#include "broker/config.h"
#include "broker/config_problems.h"

namespace vivavoce::broker {

/// Whether what a configuration names over the network answers: the provider, the metadata of issuers, Redis, a database server. Each has
/// five seconds, and all of them at the same time but the database. Nothing is minted or counted, no table is made and no key sent to the
/// provider; Redis gets the key that a broker tries it with, which expires.
/// Blocks its caller.
void checkConnections(const Config& config, Problems& problems);

} // namespace vivavoce::broker
