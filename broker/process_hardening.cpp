#include "broker/process_hardening.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif
#ifdef __unix__
#include <sys/resource.h>

#include <csignal>
#endif

namespace vivavoce::broker {

void hardenProcess()
{
#ifdef __unix__
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    // A parent that no longer reads our output must not kill us in the middle of a request.
    std::signal(SIGPIPE, SIG_IGN);
#endif
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

} // namespace vivavoce::broker
