#pragma once

#include "broker/config_problems.h"
#include "core/base/clock.h"

#include <string>

namespace vivavoce::broker {

/// PEM files of `tls.certificate` and `tls.key`: can be read, belong together, are in time. One that ends within two weeks is a warning.
void checkCertificate(const std::string& certificate, const std::string& key, core::WallTime now, Problems& problems);

/// Whether there is a certificate in PEM in that file.
[[nodiscard]] bool holdsCertificate(const std::string& path);

} // namespace vivavoce::broker
