#include "audio/internal/quiet_probing.h"

#ifdef __linux__
#include <dlfcn.h>

#include <cstdarg>
#include <cstdlib>
#endif

namespace vivavoce::audio {

#ifdef __linux__
namespace {

void sayNothing(const char* /*message*/) {}
void alsaSaysNothing(
    const char* /*file*/, int /*line*/, const char* /*function*/, int /*error*/, const char* /*format*/, ...)
{
}

/// Calls `name(handler)` where a library with that function is loaded: none of them is worth a dependency of ours.
template <typename Handler>
void install(const char* name, Handler handler)
{
    using Setter = void (*)(Handler);
    if (void* const found = dlsym(RTLD_DEFAULT, name)) {
        // The one way from dlsym to a function that POSIX defines.
        Setter setter = nullptr;
        *static_cast<void**>(static_cast<void*>(&setter)) = found;
        setter(handler);
    }
}

} // namespace

void startNoSoundServer()
{
    setenv("JACK_NO_START_SERVER", "1", 0); // NOLINT(concurrency-mt-unsafe)
}

void quietProbing()
{
    install("snd_lib_error_set_handler", &alsaSaysNothing);
    install("jack_set_error_function", &sayNothing);
    install("jack_set_info_function", &sayNothing);
    // Debian's library keeps it to itself, and what it prints of a device that goes away with it.
    install("PaUtil_SetDebugPrintFunction", &sayNothing);
}
#else
void startNoSoundServer() {}
void quietProbing() {}
#endif

} // namespace vivavoce::audio
