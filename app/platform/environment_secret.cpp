#include "app/platform/environment_secret.h"

#include <QByteArray>
#include <QtGlobal>

#include <cstdlib>
#include <cstring>

namespace vivavoce::platform {

core::Secret takeFromEnvironment(const char* name)
{
    char* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr) {
        return {};
    }
    const std::size_t size = std::strlen(value);
    core::Secret secret({value, size});
    // What is only unset stays in the block that the system shows of a process.
    core::Secret::wipe(value, size);
    qunsetenv(name);
    return secret;
}

} // namespace vivavoce::platform
