#pragma once

#include "broker/auth/key_ring.h"
#include "broker/config.h"

namespace vivavoce::broker {

/// The keys of relay tokens, as the operator configured them: private keys from files, or the secret and what it was before; a random one
/// of this process where nobody gave any. BadConfiguration.
[[nodiscard]] core::Expected<auth::KeyRing, core::Error> keyRingOf(const Config& config);

} // namespace vivavoce::broker
