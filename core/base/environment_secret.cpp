#include "core/base/environment_secret.h"

#include <cstdlib>
#include <cstring>

namespace vivavoce::core {

Secret takeFromEnvironment(const char* name)
{
    char* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr) {
        return {};
    }
    const std::size_t size = std::strlen(value);
    Secret secret({value, size});
    // What is only unset stays in the block that the system shows of a process.
    Secret::wipe(value, size);
#ifdef _WIN32
    _putenv_s(name, "");
#else
    unsetenv(name); // NOLINT(concurrency-mt-unsafe)
#endif
    return secret;
}

} // namespace vivavoce::core
