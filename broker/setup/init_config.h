#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <iosfwd>
#include <string>

namespace vivavoce::broker {

/// For whom a new configuration is.
enum class Profile {
    /// One computer, to try it: everything in the working folder, on loopback.
    Local,
    /// A service for many: narrower limits, TLS, state below /var/lib/vivavoce; what only the operator knows says CHANGE-ME.
    Production,
};

/// A configuration with a new random secret: each key of the file with a sentence, most of them commented out with what holds without them.
/// The text holds the secret: wipe it.
[[nodiscard]] std::string initialConfig(Profile profile);

/// `init`: writes it to a new file of mode 0600 that is whole and on disk or not there at all, and tells on `out` what to do next.
/// BadUsage where there is something of that name already, which stays as it is; OutputUnwritable.
[[nodiscard]] core::Expected<void, core::Error> runInit(const std::string& path, Profile profile, std::ostream& out);

} // namespace vivavoce::broker
