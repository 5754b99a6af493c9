#include "broker/process_hardening.h"

#include "core/base/process_memory.h"
#include "core/base/standard_streams.h"

#ifdef __unix__
#include <sys/resource.h>

#include <csignal>
#endif

namespace vivavoce::broker {

void hardenProcess()
{
    core::occupyStandardStreams();
    core::hideProcessMemory();
#ifdef __unix__
    // A connection each: the limit that was set for programs with select() is far too low.
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    // A parent that no longer reads our output must not kill us in the middle of a request.
    std::signal(SIGPIPE, SIG_IGN);
    // A file that has reached its limit (ulimit -f) is a disk that is full, which the audit knows how to bear.
    std::signal(SIGXFSZ, SIG_IGN);
#endif
}

} // namespace vivavoce::broker
